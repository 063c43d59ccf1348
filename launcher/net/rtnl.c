#include "launcher/net/rtnl.h"

#include <sys/socket.h>
#include <time.h>
#include "common/base/util.h"

static uint32_t sequence;

void rtnl_init(struct rtnl_msg *m, uint16_t type, uint16_t flags, const void *body, size_t size)
{
	memset(m, 0, sizeof(*m));
	m->h.nlmsg_type = type;
	m->h.nlmsg_flags = NLM_F_REQUEST | flags;
	m->h.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	memcpy(NLMSG_DATA(&m->h), body, size);
}

void rtnl_put(struct rtnl_msg *m, uint16_t type, const void *data, size_t size)
{
	size_t at = NLMSG_ALIGN(m->h.nlmsg_len);
	struct rtattr *a = (struct rtattr *)(void *)(m->buf + at);

	if (at + RTA_SPACE(size) > sizeof(m->buf)) {
		m->failed = true;
		return;
	}
	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(a), data, size);
	m->h.nlmsg_len = (uint32_t)(at + RTA_SPACE(size));
}

void rtnl_put_text(struct rtnl_msg *m, uint16_t type, const char *s)
{
	rtnl_put(m, type, s, strlen(s) + 1);
}

struct rtattr *rtnl_nest(struct rtnl_msg *m, uint16_t type)
{
	struct rtattr *a = (struct rtattr *)(void *)(m->buf + NLMSG_ALIGN(m->h.nlmsg_len));

	rtnl_put(m, type, NULL, 0);
	return a;
}

void rtnl_nest_end(struct rtnl_msg *m, struct rtattr *nest)
{
	if (!m->failed)
		nest->rta_len = (uint16_t)(m->buf + m->h.nlmsg_len - (uint8_t *)nest);
}

int rtnl_open(void)
{
	const struct timeval limit = {.tv_sec = 10};
	const int one = 1;
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (s < 0)
		return -errno;
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(s, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	return s;
}

static int transmit(int sock, struct nlmsghdr *h)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	h->nlmsg_seq = ++sequence;
	do {
		n = sendto(sock, h, h->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Reads answers to our last request. Returns 1 while more is to come. */
static int receive(int sock, int (*fn)(const struct nlmsghdr *, void *), void *arg, int *fn_result)
{
	static uint8_t buf[65536] __attribute__((aligned(8)));
	struct sockaddr_nl from;
	socklen_t from_size = sizeof(from);
	ssize_t n;
	size_t left;

	do {
		n = recvfrom(sock, buf, sizeof(buf), MSG_TRUNC, (struct sockaddr *)&from, &from_size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n > sizeof(buf))
		return -EMSGSIZE;
	if (from.nl_pid != 0)
		return 1; /* not from the kernel */
	left = (size_t)n;
	for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)buf; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_seq != sequence)
			continue;
		if (h->nlmsg_type == NLMSG_DONE)
			return h->nlmsg_len >= NLMSG_LENGTH(sizeof(int)) ? *(int *)NLMSG_DATA(h) : 0;
		if (h->nlmsg_type == NLMSG_ERROR)
			return h->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))
				       ? -EPROTO
				       : ((struct nlmsgerr *)NLMSG_DATA(h))->error;
		if (fn && *fn_result == 0)
			*fn_result = fn(h, arg);
	}
	return 1;
}

static int exchange(int sock, struct nlmsghdr *h, int (*fn)(const struct nlmsghdr *, void *), void *arg)
{
	int fn_result = 0, r = transmit(sock, h);

	if (r < 0)
		return r;
	do {
		r = receive(sock, fn, arg, &fn_result);
	} while (r > 0);
	return r < 0 ? r : fn_result;
}

int rtnl_call(int sock, struct rtnl_msg *m)
{
	if (m->failed)
		return -EMSGSIZE;
	m->h.nlmsg_flags |= NLM_F_ACK;
	return exchange(sock, &m->h, NULL, NULL);
}

int rtnl_replay(int sock, const struct nlmsghdr *h, uint16_t flags)
{
	struct rtnl_msg m = {.failed = false};

	if (h->nlmsg_len > sizeof(m.buf) || h->nlmsg_len < NLMSG_LENGTH(0))
		return -EMSGSIZE;
	memcpy(m.buf, h, h->nlmsg_len);
	m.h.nlmsg_flags = NLM_F_REQUEST | flags;
	m.h.nlmsg_pid = 0;
	return rtnl_call(sock, &m);
}

int rtnl_dump(int sock, struct rtnl_msg *m, int (*fn)(const struct nlmsghdr *h, void *arg), void *arg)
{
	m->h.nlmsg_flags |= NLM_F_DUMP;
	return exchange(sock, &m->h, fn, arg);
}

static void parse(const struct rtattr *a, size_t left, const struct rtattr **tb, unsigned max)
{
	memset(tb, 0, (max + 1) * sizeof(*tb));
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) <= max)
			tb[a->rta_type & NLA_TYPE_MASK] = a;
}

void rtnl_parse(const struct nlmsghdr *h, size_t size, const struct rtattr **tb, unsigned max)
{
	size_t head = NLMSG_LENGTH(NLMSG_ALIGN(size));

	parse((const struct rtattr *)(const void *)((const uint8_t *)h + head),
	      h->nlmsg_len > head ? h->nlmsg_len - head : 0, tb, max);
}

void rtnl_parse_nested(const struct rtattr *nest, const struct rtattr **tb, unsigned max)
{
	parse(nest ? rtnl_data(nest) : NULL, nest ? rtnl_size(nest) : 0, tb, max);
}

uint32_t rtnl_u32(const struct rtattr *a)
{
	uint32_t v = 0;

	if (a && rtnl_size(a) >= sizeof(v))
		memcpy(&v, rtnl_data(a), sizeof(v));
	return v;
}
