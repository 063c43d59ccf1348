/* Control messages of Internet sockets, and the error queue. */
#include <errno.h>
#include <time.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/net/inet/inet.h"
#include "services/sysd/time/timespec.h"

#define ABI_UDP_SEGMENT 103
#define ABI_UDP_GRO 104
#define TIMESTAMPING_RX_SOFTWARE (1u << 3)
#define TIMESTAMPING_SOFTWARE (1u << 4)

static int get_int(const uint8_t *data, size_t size, int *ret)
{
	if (size == 1) {
		*ret = data[0];
		return 0;
	}
	if (size < sizeof(*ret))
		return -EINVAL;
	memcpy(ret, data, sizeof(*ret));
	return 0;
}

static int parse_ip(int type, const uint8_t *data, size_t size, struct inet_send_ctl *ret)
{
	struct in_pktinfo info;

	switch (type) {
	case IP_PKTINFO:
		if (size < sizeof(info))
			return -EINVAL;
		memcpy(&info, data, sizeof(info));
		ret->ifindex = info.ipi_ifindex;
		if (info.ipi_spec_dst.s_addr) {
			ret->from.family = AF_INET;
			memcpy(ret->from.addr, &info.ipi_spec_dst, 4);
		}
		return 0;
	case IP_TTL:
		if (get_int(data, size, &ret->ttl))
			return -EINVAL;
		return ret->ttl < 1 || ret->ttl > 255 ? -EINVAL : 0;
	case IP_TOS:
		if (get_int(data, size, &ret->tos))
			return -EINVAL;
		return ret->tos < 0 || ret->tos > 255 ? -EINVAL : 0;
	case IP_RETOPTS:
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_ipv6(int type, const uint8_t *data, size_t size, struct inet_send_ctl *ret)
{
	struct in6_pktinfo info;

	switch (type) {
	case IPV6_PKTINFO:
	case IPV6_2292PKTINFO:
		if (size < sizeof(info))
			return -EINVAL;
		memcpy(&info, data, sizeof(info));
		ret->ifindex = (int)info.ipi6_ifindex;
		if (!IN6_IS_ADDR_UNSPECIFIED(&info.ipi6_addr)) {
			ret->from.family = AF_INET6;
			memcpy(ret->from.addr, &info.ipi6_addr, 16);
		}
		return 0;
	case IPV6_HOPLIMIT:
	case IPV6_2292HOPLIMIT:
		if (get_int(data, size, &ret->ttl))
			return -EINVAL;
		return ret->ttl < -1 || ret->ttl > 255 ? -EINVAL : 0;
	case IPV6_TCLASS:
		if (get_int(data, size, &ret->tos))
			return -EINVAL;
		return ret->tos < -1 || ret->tos > 255 ? -EINVAL : 0;
	default:
		return 0;
	}
}

int inet_cmsg_parse(struct inet_sock *k, const struct sock_msg *m, struct inet_send_ctl *ret)
{
	size_t at = 0;

	*ret = (struct inet_send_ctl){.ttl = -1, .tos = -1, .gso_size = (uint16_t)inet_opt(k, OPT_UDP_SEGMENT)};
	if (inet_opt(k, OPT_IP_UNICAST_IF) && k->s.family == AF_INET)
		ret->ifindex = (int)ntohl((uint32_t)inet_opt(k, OPT_IP_UNICAST_IF));
	while (m->control && m->control_size - at >= sizeof(struct abi_cmsghdr)) {
		struct abi_cmsghdr h;
		const uint8_t *data = m->control + at + sizeof(h);
		size_t size;
		int err = 0;

		memcpy(&h, m->control + at, sizeof(h));
		if (h.len < sizeof(h) || h.len > m->control_size - at)
			return -EINVAL;
		size = h.len - sizeof(h);
		if (h.level == SOL_IP)
			err = parse_ip(h.type, data, size, ret);
		else if (h.level == SOL_IPV6 && k->s.family == AF_INET6)
			err = parse_ipv6(h.type, data, size, ret);
		else if (h.level == SOL_UDP && h.type == ABI_UDP_SEGMENT && size == sizeof(uint16_t))
			memcpy(&ret->gso_size, data, sizeof(uint16_t));
		else if (h.level == SOL_UDP)
			err = -EINVAL;
		if (err)
			return err;
		at += ABI_CMSG_ALIGN(h.len);
		if (at > m->control_size)
			break;
	}
	return 0;
}

void inet_cmsg_put_time(struct inet_sock *k, struct sock_msg *m, uint64_t rx_ns)
{
	int32_t ts = inet_opt(k, OPT_SO_TIMESTAMPING) | inet_opt(k, OPT_SO_TIMESTAMPING_NEW);
	struct abi_timespec spec = ns_timespec(rx_ns), three[3] = {{0}};
	struct abi_timeval val = ns_timeval(rx_ns);

	if (k->s.timestampns || inet_opt(k, OPT_SO_TIMESTAMPNS_NEW))
		sock_put_cmsg(m, ABI_SOL_SOCKET, k->s.timestampns ? ABI_SO_TIMESTAMPNS_OLD : 64, &spec, sizeof(spec));
	else if (k->s.timestamp || inet_opt(k, OPT_SO_TIMESTAMP_NEW))
		sock_put_cmsg(m, ABI_SOL_SOCKET, k->s.timestamp ? ABI_SO_TIMESTAMP_OLD : 63, &val, sizeof(val));
	if (ts & (int32_t)TIMESTAMPING_SOFTWARE && ts & (int32_t)TIMESTAMPING_RX_SOFTWARE) {
		three[0] = spec;
		sock_put_cmsg(m, ABI_SOL_SOCKET,
			      inet_opt(k, OPT_SO_TIMESTAMPING) ? ABI_SO_TIMESTAMPING_OLD : 65, three, sizeof(three));
	}
}

static void put_v4(struct inet_sock *k, struct sock_msg *m, const struct net_dgram *d)
{
	int32_t value;
	uint32_t v4;

	if (inet_opt(k, OPT_IP_PKTINFO) && inet_name_v4(&d->to, &v4)) {
		struct in_pktinfo info = {.ipi_ifindex = d->ifindex};

		memcpy(&info.ipi_addr, &v4, 4);
		memcpy(&info.ipi_spec_dst, &v4, 4);
		sock_put_cmsg(m, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	}
	if (inet_opt(k, OPT_IP_RECVTTL)) {
		value = d->ttl;
		sock_put_cmsg(m, SOL_IP, IP_TTL, &value, sizeof(value));
	}
	if (inet_opt(k, OPT_IP_RECVTOS))
		sock_put_cmsg(m, SOL_IP, IP_TOS, &d->tos, 1);
	if (inet_opt(k, OPT_IP_RECVORIGDSTADDR) && inet_name_v4(&d->to, &v4)) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = d->to.port, .sin_addr = {v4}};

		sock_put_cmsg(m, SOL_IP, IP_ORIGDSTADDR, &in, sizeof(in));
	}
}

static void put_v6(struct inet_sock *k, struct sock_msg *m, const struct net_dgram *d)
{
	int32_t value;

	if (inet_opt(k, OPT_IPV6_RECVPKTINFO) || inet_opt(k, OPT_IPV6_2292PKTINFO)) {
		struct in6_pktinfo info = {.ipi6_ifindex = (unsigned)d->ifindex};
		struct sock_addr a;

		inet_addr_out(k, &d->to, &a);
		memcpy(&info.ipi6_addr, a.raw + offsetof(struct sockaddr_in6, sin6_addr), 16);
		sock_put_cmsg(m, SOL_IPV6, inet_opt(k, OPT_IPV6_RECVPKTINFO) ? IPV6_PKTINFO : IPV6_2292PKTINFO, &info,
			      sizeof(info));
	}
	value = d->ttl;
	if (inet_opt(k, OPT_IPV6_RECVHOPLIMIT))
		sock_put_cmsg(m, SOL_IPV6, IPV6_HOPLIMIT, &value, sizeof(value));
	if (inet_opt(k, OPT_IPV6_2292HOPLIMIT))
		sock_put_cmsg(m, SOL_IPV6, IPV6_2292HOPLIMIT, &value, sizeof(value));
	value = d->tos;
	if (inet_opt(k, OPT_IPV6_RECVTCLASS))
		sock_put_cmsg(m, SOL_IPV6, IPV6_TCLASS, &value, sizeof(value));
}

void inet_cmsg_put(struct inet_sock *k, struct sock_msg *m, const struct net_dgram *d)
{
	uint32_t v4;

	if (!m->ucontrol && !m->control_room)
		return;
	inet_cmsg_put_time(k, m, d->rx_ns);
	if (inet_opt(k, OPT_SO_RXQ_OVFL) && k->ctl) {
		uint32_t dropped = __atomic_load_n(&k->ctl->dropped, __ATOMIC_RELAXED);

		if (dropped)
			sock_put_cmsg(m, ABI_SOL_SOCKET, 40, &dropped, sizeof(dropped));
	}
	if (k->s.family == AF_PACKET)
		return;
	if (k->s.family == AF_INET || inet_name_v4(&d->from, &v4))
		put_v4(k, m, d);
	if (k->s.family == AF_INET6)
		put_v6(k, m, d);
	if (inet_opt(k, OPT_UDP_GRO) && d->gso_size) {
		int32_t value = d->gso_size;

		sock_put_cmsg(m, SOL_UDP, ABI_UDP_GRO, &value, sizeof(value));
	}
}

/* ---- the error queue ---------------------------------------------------------------------------- */

ssize_t inet_recv_error(struct inet_sock *k, struct sock_msg *m, unsigned flags)
{
	struct {
		struct sock_extended_err ee;
		uint8_t offender[28];
	} c = {0};
	struct inet_error *e;
	struct sock_addr a;
	size_t n, offender;
	ssize_t ret;

	(void)flags;
	if (list_empty(&k->errors))
		return -EAGAIN;
	e = LIST_FIRST(&k->errors, struct inet_error, node);
	n = MIN((size_t)e->size, m->u.resid);
	ret = uio_copy_to(&m->u, e->data, n);
	if (ret < (ssize_t)n)
		return -EFAULT;
	if (n < e->size)
		m->out_flags |= MSG_TRUNC;
	m->out_flags |= MSG_ERRQUEUE;
	if (e->to.family)
		inet_addr_out(k, &e->to, &m->name);
	c.ee = (struct sock_extended_err){.ee_errno = e->err,
					  .ee_origin = e->origin,
					  .ee_type = e->type,
					  .ee_code = e->code,
					  .ee_info = e->info};
	offender = k->s.family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	if (e->offender.family) {
		inet_addr_out(k, &e->offender, &a);
		memcpy(c.offender, a.raw, MIN((size_t)a.size, sizeof(c.offender)));
	}
	sock_put_cmsg(m, k->s.family == AF_INET ? SOL_IP : SOL_IPV6, k->s.family == AF_INET ? IP_RECVERR : IPV6_RECVERR,
		      &c, sizeof(c.ee) + offender);
	list_del(&e->node);
	k->error_count--;
	free(e);
	/* The next one is what SO_ERROR tells of. */
	if (!list_empty(&k->errors) && !k->s.err)
		k->s.err = (int)LIST_FIRST(&k->errors, struct inet_error, node)->err;
	return ret;
}

void inet_drop_errors(struct inet_sock *k)
{
	while (!list_empty(&k->errors)) {
		struct inet_error *e = LIST_FIRST(&k->errors, struct inet_error, node);

		list_del(&e->node);
		free(e);
	}
	k->error_count = 0;
}
