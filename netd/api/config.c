/* What programs ask about the network itself: interface ioctls, netlink, files of /proc/net, settings. The answers
 * come from netd/netlink and netd/proc. */
#include <string.h>

#include "common/base/util.h"
#include "netd/api/api.h"
#include "netd/proc/proc.h"

#define IOCTL_ROOM 16384u

static void emit(struct api *a, uint32_t ns, uint32_t sock, uint32_t group, const void *data, size_t size)
{
	static struct net_msg m;

	if (size > NET_DATA_MAX)
		return;
	memset(&m, 0, offsetof(struct net_msg, opts));
	m.kind = NET_NLMSG;
	m.ns = ns;
	m.sock = sock;
	m.value = group;
	m.data = data;
	m.data_size = (uint32_t)size;
	api_send(a, &m);
}

struct answer {
	struct api_space *sp;
	uint32_t sock;
};

static void emit_answer(void *arg, uint32_t group, const void *data, size_t size)
{
	struct answer *to = arg;

	if (group)
		emit(to->sp->api, to->sp->id, NET_SOCK_NONE, group, data, size);
	else
		emit(to->sp->api, to->sp->id, to->sock, 0, data, size);
}

static void emit_group(void *arg, uint32_t group, const void *data, size_t size)
{
	struct api_space *sp = arg;

	if (group && group <= 64 && sp->groups >> (group - 1) & 1)
		emit(sp->api, sp->id, NET_SOCK_NONE, group, data, size);
}

void api_space_start(struct api_space *sp)
{
	netlink_monitor_start(&sp->monitor, sp->st, emit_group, sp);
}

void api_space_stop(struct api_space *sp)
{
	netlink_monitor_stop(&sp->monitor);
}

static void do_netlink(struct api *a, struct api_space *sp, const struct net_msg *m)
{
	struct answer to = {sp, m->sock};

	api_reply(a, m->req, netlink_request(sp->st, (int)m->protocol, (uint32_t)m->value, m->flags, m->data,
					     m->data_size, emit_answer, &to));
}

static void do_ioctl(struct api *a, struct api_space *sp, const struct net_msg *m)
{
	static uint8_t data[IOCTL_ROOM];
	size_t size = MIN(m->data_size, IOCTL_ROOM);
	int ret;

	memcpy(data, m->data, size);
	ret = netproc_ioctl(sp->st, (uint32_t)m->value, m->flags & NET_CAP_ADMIN, data, sizeof(data), &size);
	api_reply_data(a, m->req, ret, data, ret ? 0 : (uint32_t)MIN(size, sizeof(data)), 0);
}

/* Text comes in pieces; the later ones are of the moment of the first. */
static void do_proc(struct api *a, struct api_space *sp, const struct net_msg *m)
{
	static struct text kept;
	uint64_t at = m->value;
	int ret = 0;

	if (!at) {
		text_done(&kept);
		kept = (struct text){0};
		ret = netproc_show(sp->st, m->text, &kept);
	}
	if (ret || at > kept.size) {
		api_reply(a, m->req, ret ? ret : -EINVAL);
		return;
	}
	api_reply_data(a, m->req, 0, kept.buf + at, (uint32_t)MIN(kept.size - at, (uint64_t)NET_DATA_MAX), kept.size);
}

static void do_sysctl(struct api *a, struct api_space *sp, const struct net_msg *m)
{
	struct text out = {0};
	int ret;

	if (m->data_size) {
		api_reply(a, m->req, netproc_sysctl_write(sp->st, m->text, (const char *)m->data, m->data_size));
		return;
	}
	ret = netproc_sysctl_read(sp->st, m->text, &out);
	api_reply_data(a, m->req, ret, out.buf, ret ? 0 : (uint32_t)MIN(out.size, (size_t)NET_DATA_MAX), out.size);
	text_done(&out);
}

void api_config_request(struct api *a, struct api_space *sp, const struct net_msg *m)
{
	switch (m->kind) {
	case NET_IOCTL: do_ioctl(a, sp, m); break;
	case NET_NETLINK: do_netlink(a, sp, m); break;
	case NET_NLGROUPS: sp->groups = m->value; break;
	case NET_PROC: do_proc(a, sp, m); break;
	case NET_SYSCTL: do_sysctl(a, sp, m); break;
	}
}
