/* The parts of netlink/ among themselves: the request that is being answered, and writing messages. */
#ifndef NETD_NETLINK_PRIVATE_H
#define NETD_NETLINK_PRIVATE_H

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>

#include "netd/core/addr.h"
#include "netd/netlink/netlink.h"

struct fib_entry;
struct fib_rule;
struct neigh;
struct netif;
struct netif_addr;

#define NL_ATTRS_MAX 80
/* A datagram of a dump holds about what the host's kernel puts into one at first: programs read with a page. */
#define NL_CHUNK 3776u
#define NL_ROOM (64u * 1024)
/* One datagram of a program can hold thousands of requests. When its answers come to this, more than any receive buffer
 * holds, it gets no further dumps (EBUSY, as while a dump is under way). */
#define NL_ANSWERS_MAX (1024u * 1024)

struct nl_ctx {
	struct netstack *st;
	netlink_emit_fn emit;
	void *arg;
	uint32_t port, flags;
	const struct nlmsghdr *req; /* NULL: a notification */
	const char *why;            /* for extended acknowledgements */
	uint8_t *buf;               /* NL_ROOM bytes: messages that wait to be sent */
	size_t used, msg;           /* msg: where the message under construction begins */
	size_t sent;                /* bytes of answers */
	bool multi, failed;         /* of a dump; a message did not fit (it is left out) */
};

/* ---- writing ------------------------------------------------------------------------------------ */

/* Begins a message; returns the family's header, zeroed. */
void *nl_begin(struct nl_ctx *c, uint16_t type, uint16_t flags, size_t header_size);
/* Ends it: it is complete. In a dump a full chunk is sent. */
void nl_end(struct nl_ctx *c);
void nl_send(struct nl_ctx *c, uint32_t group);
void nl_put(struct nl_ctx *c, uint16_t type, const void *data, size_t size);
void *nl_reserve(struct nl_ctx *c, uint16_t type, size_t size); /* zeroed; NULL: no room */
void nl_put_u8(struct nl_ctx *c, uint16_t type, uint8_t v);
void nl_put_u16(struct nl_ctx *c, uint16_t type, uint16_t v);
void nl_put_u32(struct nl_ctx *c, uint16_t type, uint32_t v);
void nl_put_u64(struct nl_ctx *c, uint16_t type, uint64_t v);
void nl_put_text(struct nl_ctx *c, uint16_t type, const char *s);
void nl_put_addr(struct nl_ctx *c, uint16_t type, const struct ip_addr *a);
size_t nl_nest(struct nl_ctx *c, uint16_t type);
void nl_nest_end(struct nl_ctx *c, size_t nest);

/* ---- reading ------------------------------------------------------------------------------------ */

struct nl_attrs {
	const struct nlattr *at[NL_ATTRS_MAX];
};
/* The attributes behind a header of this size. -EINVAL when they are malformed. */
int nl_parse(const struct nlmsghdr *h, size_t header_size, struct nl_attrs *ret);
int nl_parse_nested(const struct nlattr *nest, struct nl_attrs *ret);
static inline size_t nl_size(const struct nlattr *a)
{
	return a->nla_len - NLA_HDRLEN;
}
static inline const void *nl_data(const struct nlattr *a)
{
	return (const uint8_t *)a + NLA_HDRLEN;
}
/* The value; def when there is none. Attributes that are too short count as none. */
uint32_t nl_u32(const struct nlattr *a, uint32_t def);
uint16_t nl_u16(const struct nlattr *a, uint16_t def);
uint8_t nl_u8(const struct nlattr *a, uint8_t def);
/* An address of the family; false: the attribute has another size. */
bool nl_addr(const struct nlattr *a, int family, struct ip_addr *ret);
/* What such an attribute is answered with: the kernel checks IPv4 addresses as numbers, which may not be short. */
static inline int nl_addr_error(const struct nlattr *a, int family)
{
	return family == AF_INET && nl_size(a) < 4 ? -ERANGE : -EINVAL;
}
bool nl_text(const struct nlattr *a, char *ret, size_t room);
/* The family's header, or NULL when the message is too short for it. */
const void *nl_header(const struct nlmsghdr *h, size_t size);

/* ---- the objects -------------------------------------------------------------------------------- */

/* Handlers of requests: 0 or -errno, which becomes the acknowledgement. Dumps write messages only. */
int link_get(struct nl_ctx *c, const struct nlmsghdr *h);
int link_dump(struct nl_ctx *c, const struct nlmsghdr *h);
int link_set(struct nl_ctx *c, const struct nlmsghdr *h);
int link_del(struct nl_ctx *c, const struct nlmsghdr *h);
void link_put(struct nl_ctx *c, struct netif *nif, uint16_t type, uint16_t flags);
int addr_get(struct nl_ctx *c, const struct nlmsghdr *h);
int addr_dump(struct nl_ctx *c, const struct nlmsghdr *h);
int addr_new(struct nl_ctx *c, const struct nlmsghdr *h);
int addr_del(struct nl_ctx *c, const struct nlmsghdr *h);
void addr_put(struct nl_ctx *c, struct netif *nif, const struct netif_addr *a, uint16_t type, uint16_t flags);
int route_get(struct nl_ctx *c, const struct nlmsghdr *h);
int route_dump(struct nl_ctx *c, const struct nlmsghdr *h);
int route_new(struct nl_ctx *c, const struct nlmsghdr *h);
int route_del(struct nl_ctx *c, const struct nlmsghdr *h);
void route_put(struct nl_ctx *c, const struct fib_entry *e, uint16_t type, uint16_t flags);
int rule_dump(struct nl_ctx *c, const struct nlmsghdr *h);
int rule_new(struct nl_ctx *c, const struct nlmsghdr *h);
int rule_del(struct nl_ctx *c, const struct nlmsghdr *h);
int neigh_get_one(struct nl_ctx *c, const struct nlmsghdr *h);
int neigh_dump(struct nl_ctx *c, const struct nlmsghdr *h);
int neigh_new(struct nl_ctx *c, const struct nlmsghdr *h);
int neigh_del(struct nl_ctx *c, const struct nlmsghdr *h);
void neigh_put(struct nl_ctx *c, struct neigh *n, uint16_t type, uint16_t flags);
int neightbl_dump(struct nl_ctx *c, const struct nlmsghdr *h);
int netconf_dump(struct nl_ctx *c, const struct nlmsghdr *h);
int nsid_get(struct nl_ctx *c, const struct nlmsghdr *h);
int qdisc_dump(struct nl_ctx *c, const struct nlmsghdr *h);
int diag_request(struct nl_ctx *c, const struct nlmsghdr *h);
int diag_destroy(struct nl_ctx *c, const struct nlmsghdr *h);

#endif
