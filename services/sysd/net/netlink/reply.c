/* Answers that are made in sysd itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/util.h"
#include "services/sysd/net/netlink/netlink.h"

const struct abi_nlmsghdr *netlink_next(const uint8_t *data, size_t size, size_t *pos)
{
	const struct abi_nlmsghdr *h;

	if (size - *pos < sizeof(*h))
		return NULL;
	h = (const struct abi_nlmsghdr *)(const void *)(data + *pos);
	if (h->len < sizeof(*h) || h->len > size - *pos)
		return NULL;
	*pos += MIN((size_t)ABI_NLMSG_ALIGN(h->len), size - *pos);
	return h;
}

void netlink_ack(struct netlink_sock *k, const struct abi_nlmsghdr *req, int error)
{
	size_t quoted = error && !k->cap_ack ? req->len : sizeof(*req);
	size_t size = sizeof(struct abi_nlmsghdr) + sizeof(int32_t) + quoted;
	CLEANUP_FREE uint8_t *buf = calloc(1, ABI_NLMSG_ALIGN(size));
	int32_t value = error;
	struct abi_nlmsghdr h = {.len = (uint32_t)size, .type = ABI_NLMSG_ERROR, .seq = req->seq, .pid = k->port,
				 .flags = k->cap_ack ? ABI_NLM_F_CAPPED : 0};

	if (!buf)
		return;
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), &value, sizeof(value));
	memcpy(buf + sizeof(h) + sizeof(value), req, quoted);
	netlink_queue(k, 0, 0, buf, size);
}

void netlink_done(struct netlink_sock *k, const struct abi_nlmsghdr *req, int error)
{
	struct {
		struct abi_nlmsghdr h;
		int32_t error;
	} m = {{.len = sizeof(m), .type = ABI_NLMSG_DONE, .flags = ABI_NLM_F_MULTI, .seq = req->seq, .pid = k->port},
	       error};

	netlink_queue(k, 0, 0, &m, sizeof(m));
}

/* The audit subsystem belongs to the host: a container is told so, and its programs go on without. */
int netlink_audit(struct netlink_sock *k, struct task *t, const uint8_t *data, size_t size)
{
	const struct abi_nlmsghdr *h;
	size_t pos = 0;

	(void)t;
	while ((h = netlink_next(data, size, &pos)))
		if (h->flags & ABI_NLM_F_REQUEST)
			netlink_ack(k, h, -ECONNREFUSED);
	return 0;
}
