/* Requests over a netlink socket, for these programs. */
#ifndef GUEST_NL_H
#define GUEST_NL_H
#include "../say.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

static struct {
	union {
		struct nlmsghdr h;
		uint8_t buf[1024];
	};
} rq;
static uint8_t answer[65536] __attribute__((aligned(8)));

static inline void rq_begin(unsigned type, unsigned flags, const void *body, size_t size)
{
	static unsigned seq = 100;

	memset(&rq, 0, sizeof(rq));
	rq.h.nlmsg_type = (uint16_t)type;
	rq.h.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	rq.h.nlmsg_seq = ++seq;
	rq.h.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	memcpy(NLMSG_DATA(&rq.h), body, size);
}
static inline void rq_put(unsigned type, const void *data, size_t size)
{
	struct rtattr *a = (void *)(rq.buf + NLMSG_ALIGN(rq.h.nlmsg_len));

	a->rta_type = (uint16_t)type;
	a->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	rq.h.nlmsg_len = NLMSG_ALIGN(rq.h.nlmsg_len) + (uint32_t)RTA_SPACE(size);
}
static inline const void *attr(const struct nlmsghdr *h, size_t head, unsigned type)
{
	const struct rtattr *a = (const void *)((const char *)h + NLMSG_SPACE(head));
	size_t left = h->nlmsg_len - NLMSG_SPACE(head);

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return RTA_DATA(a);
	return NULL;
}
/* Sends the request and hands every message of the answer to fn. The acknowledgement's error (0 or negative), or 1 at the
 * end of a dump. */
static inline int ask(int s, void (*fn)(const struct nlmsghdr *))
{
	MUST(send(s, &rq, rq.h.nlmsg_len, 0));
	for (;;) {
		ssize_t n = MUST(recv(s, answer, sizeof(answer), 0));

		for (struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_seq != rq.h.nlmsg_seq) {
				printf("another sequence number\n");
				continue;
			}
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type == NLMSG_DONE)
				return 1;
			if (fn)
				fn(h);
			if (!(h->nlmsg_flags & NLM_F_MULTI) && !(rq.h.nlmsg_flags & NLM_F_ACK))
				return 0;
		}
	}
}
static inline const char *result(int r)
{
	return r > 0 ? "done" : r == 0 ? "ok" : strerrorname_np(-r);
}
#endif
