/* NETLINK_GENERIC: its controller, which knows of no family but itself. Programs that look for one (wireguard,
 * nl80211, ethtool) find out that it is not there. */
#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/util.h"
#include "services/sysd/net/netlink/netlink.h"

#define GENL_ID 16 /* GENL_ID_CTRL */

struct reply {
	struct abi_nlmsghdr h;
	struct genlmsghdr g;
	uint8_t attrs[64];
};

static void put(struct reply *r, uint16_t type, const void *data, uint16_t size)
{
	const struct nlattr a = {.nla_type = type, .nla_len = (uint16_t)(sizeof(a) + size)};
	uint8_t *at = (uint8_t *)r + r->h.len;

	memcpy(at, &a, sizeof(a));
	memcpy(at + sizeof(a), data, size);
	r->h.len += ABI_NLMSG_ALIGN(a.nla_len);
}

static void send_controller(struct netlink_sock *k, const struct abi_nlmsghdr *req, uint16_t flags)
{
	struct reply r = {
		.h = {.len = sizeof(r.h) + sizeof(r.g), .type = GENL_ID, .flags = flags, .seq = req->seq, .pid = k->port},
		.g = {.cmd = CTRL_CMD_NEWFAMILY, .version = 2},
	};
	const uint16_t id = GENL_ID;
	const uint32_t version = 2, none = 0, max = CTRL_ATTR_MAX;

	put(&r, CTRL_ATTR_FAMILY_NAME, "nlctrl", 7);
	put(&r, CTRL_ATTR_FAMILY_ID, &id, sizeof(id));
	put(&r, CTRL_ATTR_VERSION, &version, sizeof(version));
	put(&r, CTRL_ATTR_HDRSIZE, &none, sizeof(none));
	put(&r, CTRL_ATTR_MAXATTR, &max, sizeof(max));
	netlink_queue(k, 0, 0, &r, r.h.len);
}

/* Does the request ask for the controller, by name or number? */
static bool asks_for_itself(const struct abi_nlmsghdr *h)
{
	const uint8_t *at = (const uint8_t *)h + sizeof(*h) + sizeof(struct genlmsghdr);
	size_t left = h->len - sizeof(*h) - sizeof(struct genlmsghdr);

	while (left >= sizeof(struct nlattr)) {
		struct nlattr a;
		uint16_t id;
		size_t step;

		memcpy(&a, at, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > left)
			return false;
		if (a.nla_type == CTRL_ATTR_FAMILY_NAME && a.nla_len == sizeof(a) + 7 &&
		    !memcmp(at + sizeof(a), "nlctrl", 7))
			return true;
		if (a.nla_type == CTRL_ATTR_FAMILY_ID && a.nla_len == sizeof(a) + sizeof(id)) {
			memcpy(&id, at + sizeof(a), sizeof(id));
			if (id == GENL_ID)
				return true;
		}
		step = MIN((size_t)ABI_NLMSG_ALIGN(a.nla_len), left);
		at += step;
		left -= step;
	}
	return false;
}

int netlink_generic(struct netlink_sock *k, struct task *t, const uint8_t *data, size_t size)
{
	const struct abi_nlmsghdr *h;
	size_t pos = 0;

	(void)t;
	while ((h = netlink_next(data, size, &pos))) {
		struct genlmsghdr g;
		int ret = 0;

		if (!(h->flags & ABI_NLM_F_REQUEST) || h->type < 16)
			continue;
		if (h->len < sizeof(*h) + sizeof(g)) {
			netlink_ack(k, h, -EINVAL);
			continue;
		}
		memcpy(&g, h + 1, sizeof(g));
		if (h->type != GENL_ID) {
			ret = -ENOENT;
		} else if (g.cmd != CTRL_CMD_GETFAMILY) {
			ret = -EOPNOTSUPP;
		} else if ((h->flags & ABI_NLM_F_DUMP) == ABI_NLM_F_DUMP) {
			send_controller(k, h, ABI_NLM_F_MULTI);
			netlink_done(k, h, 0);
			continue;
		} else if (asks_for_itself(h)) {
			send_controller(k, h, 0);
		} else {
			ret = -ENOENT;
		}
		if (ret || h->flags & ABI_NLM_F_ACK)
			netlink_ack(k, h, ret);
	}
	return 0;
}
