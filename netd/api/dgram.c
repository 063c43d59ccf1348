/* Datagrams between the stack and the rings, and entries of error queues. */
#include <string.h>
#include <sys/uio.h>

#include "common/base/util.h"
#include "netd/api/api.h"
#include "netd/sock/sock.h"

#define DATAGRAMS_A_TURN 64

static bool deliver_error(struct api_sock *k, const struct nsock_meta *meta, const struct iovec *iov, unsigned count)
{
	const struct ip_error *e = meta->error;
	static uint8_t data[2048];
	static struct net_msg m;
	uint32_t size = 0;

	for (unsigned i = 0; i < count && size < sizeof(data); i++) {
		uint32_t n = (uint32_t)MIN(iov[i].iov_len, sizeof(data) - size);

		memcpy(data + size, iov[i].iov_base, n);
		size += n;
	}
	memset(&m, 0, offsetof(struct net_msg, opts));
	m.kind = NET_ERROR;
	m.sock = k->index;
	m.value = (uint32_t)e->err & 0xfff;
	m.flags = e->origin | (uint32_t)e->type << 8 | (uint32_t)e->code << 16;
	m.value2 = e->info;
	net_name_put(&m.local, &(struct nsock_name){.addr = e->offender});
	net_name_put(&m.remote, &meta->to);
	m.data = data;
	m.data_size = size;
	api_send(k->api, &m);
	return true;
}

bool api_dgram_deliver(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count)
{
	struct api_sock *k = s->owner;
	struct net_dgram d = {
		.orig_size = meta->orig_len,
		.rx_ns = meta->rx_ns,
		.ifindex = meta->ifindex,
		.flow_label = meta->flow_label,
		.flags = meta->flags,
		.gso_size = meta->gso_size,
		.protocol = meta->protocol,
		.hatype = meta->hatype,
		.ttl = meta->ttl,
		.tos = meta->tos,
		.pkttype = meta->pkttype,
		.halen = MIN(meta->halen, (uint8_t)sizeof(d.hwaddr)),
	};

	if (meta->error)
		return deliver_error(k, meta, iov, count);
	memcpy(d.hwaddr, meta->hwaddr, sizeof(d.hwaddr));
	net_name_put(&d.from, &meta->from);
	net_name_put(&d.to, &meta->to);
	for (unsigned i = 0; i < count; i++)
		d.size += (uint32_t)iov[i].iov_len;
	if (!net_dgram_put(&k->rx, &d, iov, count)) {
		__atomic_add_fetch(&k->ctl->dropped, 1, __ATOMIC_RELAXED);
		return false;
	}
	api_sock_dirty(k, NSOCK_IN);
	return true;
}

/* Errors of one datagram stay with the socket, as far as Linux would have told the sender: what could be known before was
 * checked when sysd asked for the route. */
static void send_one(struct api_sock *k, const struct net_dgram *d, const struct iovec iov[2])
{
	struct nsock_meta meta = {
		.ifindex = d->ifindex,
		.ttl = d->ttl,
		.tos = d->tos,
		.flow_label = d->flow_label,
		.gso_size = d->gso_size,
		.flags = d->flags,
		.protocol = d->protocol,
		.halen = MIN(d->halen, (uint8_t)sizeof(meta.hwaddr)),
	};
	ssize_t n;

	memcpy(meta.hwaddr, d->hwaddr, sizeof(meta.hwaddr));
	if (d->from.family && net_name_get(&d->from, &meta.from))
		return;
	if (d->to.family && net_name_get(&d->to, &meta.to))
		return;
	n = k->s->ops->send(k->s, &meta, iov, iov[1].iov_len ? 2 : 1);
	if (n < 0 && n != -ENOBUFS && n != -EAGAIN) {
		k->s->err = (int)-n;
		api_sock_dirty(k, NSOCK_ERR);
	}
}

bool api_dgram_send(struct api_sock *k)
{
	struct bytering_region old;
	struct iovec iov[2];
	struct net_dgram d;
	unsigned n = 0;

	while (net_dgram_look(&k->tx, k->tx.head, &d, iov) == 0) {
		if (n++ == DATAGRAMS_A_TURN)
			break;
		send_one(k, &d, iov);
		if (!k->s)
			return true;
		bytering_take(&k->tx, net_dgram_room(d.size), &old);
	}
	if (n)
		api_sock_dirty(k, NSOCK_OUT);
	return n <= DATAGRAMS_A_TURN;
}
