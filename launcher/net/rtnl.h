/* Requests to the host's rtnetlink(7), in the network namespace of the caller. */
#ifndef LAUNCHER_NET_RTNL_H
#define LAUNCHER_NET_RTNL_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTNL_MSG_MAX 4096

/* A request under construction. */
struct rtnl_msg {
	union {
		struct nlmsghdr h;
		uint8_t buf[RTNL_MSG_MAX];
	};
	bool failed; /* it became too long */
};
/* `body` of `size` bytes is the family's header (struct ifinfomsg...). */
void rtnl_init(struct rtnl_msg *m, uint16_t type, uint16_t flags, const void *body, size_t size);
void rtnl_put(struct rtnl_msg *m, uint16_t type, const void *data, size_t size);
static inline void rtnl_put_u32(struct rtnl_msg *m, uint16_t type, uint32_t v)
{
	rtnl_put(m, type, &v, sizeof(v));
}
void rtnl_put_text(struct rtnl_msg *m, uint16_t type, const char *s);
struct rtattr *rtnl_nest(struct rtnl_msg *m, uint16_t type);
void rtnl_nest_end(struct rtnl_msg *m, struct rtattr *nest);

/* A socket, or -errno. */
int rtnl_open(void);
/* Sends and waits for the acknowledgement: 0 or what the kernel says, -errno. */
int rtnl_call(int sock, struct rtnl_msg *m);
/* As rtnl_call, for a whole message that came from a dump: flags are replaced. */
int rtnl_replay(int sock, const struct nlmsghdr *h, uint16_t flags);
/* Calls fn for every message of the dump `m` asks for. 0 or -errno (fn's included, at the end). */
int rtnl_dump(int sock, struct rtnl_msg *m, int (*fn)(const struct nlmsghdr *h, void *arg), void *arg);

/* Attributes of a message whose family header is `size` bytes, by type up to max (tb has max + 1 places). */
void rtnl_parse(const struct nlmsghdr *h, size_t size, const struct rtattr **tb, unsigned max);
void rtnl_parse_nested(const struct rtattr *nest, const struct rtattr **tb, unsigned max);
static inline const void *rtnl_data(const struct rtattr *a)
{
	return (const uint8_t *)a + RTA_LENGTH(0);
}
static inline size_t rtnl_size(const struct rtattr *a)
{
	return a->rta_len - RTA_LENGTH(0);
}
/* 0 when there is none or it is too short. */
uint32_t rtnl_u32(const struct rtattr *a);

#endif
