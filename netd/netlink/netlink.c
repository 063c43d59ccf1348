/* Taking a datagram apart, finding who answers each message of it, and the frame of the answers: acknowledgements
 * with their extensions, and the chunks and the end of a dump. */
#include "netd/netlink/netlink.h"

#include <linux/netconf.h>
#include <linux/sock_diag.h>

#include "common/base/util.h"
#include "netd/netlink/private.h"

struct handler {
	int (*get)(struct nl_ctx *c, const struct nlmsghdr *h);
	int (*dump)(struct nl_ctx *c, const struct nlmsghdr *h);
	bool admin; /* changes something */
};

#define ROUTE(type) [(type) - RTM_BASE]
static const struct handler route_handlers[RTM_NR_MSGTYPES] = {
	ROUTE(RTM_NEWLINK) = {.get = link_set, .admin = true},
	ROUTE(RTM_SETLINK) = {.get = link_set, .admin = true},
	ROUTE(RTM_DELLINK) = {.get = link_del, .admin = true},
	ROUTE(RTM_GETLINK) = {.get = link_get, .dump = link_dump},
	ROUTE(RTM_NEWADDR) = {.get = addr_new, .admin = true},
	ROUTE(RTM_DELADDR) = {.get = addr_del, .admin = true},
	ROUTE(RTM_GETADDR) = {.get = addr_get, .dump = addr_dump},
	ROUTE(RTM_NEWROUTE) = {.get = route_new, .admin = true},
	ROUTE(RTM_DELROUTE) = {.get = route_del, .admin = true},
	ROUTE(RTM_GETROUTE) = {.get = route_get, .dump = route_dump},
	ROUTE(RTM_NEWRULE) = {.get = rule_new, .admin = true},
	ROUTE(RTM_DELRULE) = {.get = rule_del, .admin = true},
	ROUTE(RTM_GETRULE) = {.dump = rule_dump},
	ROUTE(RTM_NEWNEIGH) = {.get = neigh_new, .admin = true},
	ROUTE(RTM_DELNEIGH) = {.get = neigh_del, .admin = true},
	ROUTE(RTM_GETNEIGH) = {.get = neigh_get_one, .dump = neigh_dump},
	ROUTE(RTM_GETNEIGHTBL) = {.dump = neightbl_dump},
	ROUTE(RTM_GETNETCONF) = {.dump = netconf_dump},
	ROUTE(RTM_GETNSID) = {.get = nsid_get},
	ROUTE(RTM_GETQDISC) = {.dump = qdisc_dump},
};
static const struct handler diag_handlers[] = {
	{.get = diag_request, .dump = diag_request}, /* SOCK_DIAG_BY_FAMILY */
	{.get = diag_destroy, .admin = true},        /* SOCK_DESTROY */
};

static const struct handler *find(int protocol, uint16_t type)
{
	if (protocol == NETLINK_SOCK_DIAG) {
		unsigned i = (unsigned)type - SOCK_DIAG_BY_FAMILY;

		return i < ARRAY_SIZE(diag_handlers) ? &diag_handlers[i] : NULL;
	}
	return type >= RTM_BASE && type - RTM_BASE < RTM_NR_MSGTYPES ? &route_handlers[type - RTM_BASE] : NULL;
}

static void put_ack(struct nl_ctx *c, const struct nlmsghdr *h, int error)
{
	bool whole = error && !(c->flags & NETLINK_CAP_ACKS), words = (c->flags & NETLINK_EXT_ACKS) && c->why && error;
	size_t quoted = whole ? h->nlmsg_len : sizeof(*h);
	struct nlmsgerr *e;

	e = nl_begin(c, NLMSG_ERROR, (uint16_t)((whole ? 0 : NLM_F_CAPPED) | (words ? NLM_F_ACK_TLVS : 0)),
		     sizeof(e->error) + quoted);
	if (c->failed) {
		nl_end(c);
		return;
	}
	/* Linux caps a plain acknowledgement whether it was asked to or not, and says so only when it was */
	if (!error && !(c->flags & NETLINK_CAP_ACKS))
		((struct nlmsghdr *)(void *)(c->buf + c->msg))->nlmsg_flags &= (uint16_t)~NLM_F_CAPPED;
	e->error = error;
	memcpy(&e->msg, h, quoted);
	if (words)
		nl_put_text(c, NLMSGERR_ATTR_MSG, c->why);
	nl_end(c);
	nl_send(c, 0);
}

static void run_dump(struct nl_ctx *c, const struct handler *hd, const struct nlmsghdr *h)
{
	int32_t *result, ret;

	c->multi = true;
	ret = hd->dump(c, h);
	result = nl_begin(c, NLMSG_DONE, 0, sizeof(*result));
	*result = MIN(ret, 0);
	nl_end(c);
	nl_send(c, 0);
	c->multi = false;
}

static void handle(struct nl_ctx *c, int protocol, const struct nlmsghdr *h)
{
	const struct handler *hd = find(protocol, h->nlmsg_type);
	/* SOCK_DESTROY and changes have bits of their own where NLM_F_DUMP has its */
	bool dump = hd && hd->dump && !hd->admin && (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int ret = 0;

	c->req = h;
	c->why = NULL;
	c->used = 0;
	if (h->nlmsg_type < NLMSG_MIN_TYPE) {
		ret = 0; /* NLMSG_NOOP and its kin */
	} else if (!hd || (!hd->get && !dump)) {
		ret = -EOPNOTSUPP;
	} else if (hd->admin && !(c->flags & NETLINK_MAY_ADMIN)) {
		ret = -EPERM;
	} else if (dump && c->sent >= NL_ANSWERS_MAX) {
		ret = -EBUSY;
	} else if (dump) {
		run_dump(c, hd, h);
		return;
	} else {
		ret = hd->get(c, h);
		if (ret == 0)
			nl_send(c, 0);
		c->used = 0;
	}
	if (ret < 0 || (h->nlmsg_flags & NLM_F_ACK))
		put_ack(c, h, ret);
}

int netlink_request(struct netstack *st, int protocol, uint32_t port, uint32_t flags, const void *data, size_t size,
		    netlink_emit_fn emit, void *arg)
{
	struct nl_ctx c = {.st = st, .emit = emit, .arg = arg, .port = port, .flags = flags};
	CLEANUP_FREE uint8_t *copy = NULL, *buf = NULL;
	size_t at = 0;

	if (protocol != NETLINK_ROUTE && protocol != NETLINK_SOCK_DIAG)
		return -EPROTONOSUPPORT;
	/* a copy: alignment, and rest at its end */
	copy = calloc(1, size + 64);
	buf = malloc(NL_ROOM);
	if (!copy || !buf)
		return -ENOMEM;
	memcpy(copy, data, size);
	c.buf = buf;
	while (size - at >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)(copy + at);

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > size - at)
			break;
		if (h->nlmsg_flags & NLM_F_REQUEST)
			handle(&c, protocol, h);
		at += MIN((size_t)NLMSG_ALIGN(h->nlmsg_len), size - at);
	}
	return 0;
}
