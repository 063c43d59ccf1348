/* Which socket a datagram is for: connected ones by their pair of addresses, others by port and how well they fit. */
#include "netd/udp/udp_priv.h"

struct list *udp_port_bucket(struct netstack *st, bool lite, uint16_t port)
{
	return &st->udp->bound[lite][be16(port) % UDP_BUCKETS];
}

static struct list *conn_bucket(struct netstack *st, bool lite, const struct nsock_name *local,
				const struct nsock_name *peer)
{
	struct {
		uint8_t local[16], peer[16];
		uint16_t lport, pport;
	} key = {.lport = local->port, .pport = peer->port};

	memcpy(key.local, local->addr.v6, local->addr.family == AF_INET ? 4 : 16);
	memcpy(key.peer, peer->addr.v6, peer->addr.family == AF_INET ? 4 : 16);
	return &st->udp->conn[lite][netstack_hash(st, &key, sizeof(key)) % UDP_BUCKETS];
}

void udp_hash(struct udp_sock *u)
{
	struct netstack *st = u->s.st;
	struct list *b = udp_port_bucket(st, u->lite, u->s.local.port);

	udp_unhash(u);
	if (!u->s.local.port)
		return;
	if (!u->connected) {
		list_add(b, &u->bound);
		return;
	}
	list_add_tail(b, &u->bound);
	list_add(conn_bucket(st, u->lite, &u->s.local, &u->s.peer), &u->conn);
}

void udp_unhash(struct udp_sock *u)
{
	list_del(&u->bound);
	list_del(&u->conn);
}

static bool family_fits(const struct nsock *s, const struct ip_addr *local)
{
	if (local->family == AF_INET6)
		return s->family == AF_INET6 && s->local.addr.family != AF_INET;
	return s->family == AF_INET || s->local.addr.family == AF_INET ||
	       (!s->opt.v6only && ip_addr_any(&s->local.addr));
}

/* How well an unconnected socket fits; -1: not. */
static int score(const struct udp_sock *u, const struct nsock_name *local, int iif)
{
	const struct nsock *s = &u->s;
	int points = 0;

	if (s->local.port != local->port || !family_fits(s, &local->addr))
		return -1;
	points += s->family == local->addr.family;
	if (!ip_addr_any(&s->local.addr)) {
		if (!ip_addr_equal(&s->local.addr, &local->addr))
			return -1;
		points += 4;
	}
	if (s->opt.bound_if) {
		if (s->opt.bound_if != iif)
			return -1;
		points += 4;
	}
	return points;
}

/* One of the sockets that share the port by SO_REUSEPORT: by addresses, so that a peer stays with one. */
static struct udp_sock *balance(struct netstack *st, struct list *bucket, struct udp_sock *best, int points,
				const struct nsock_name *local, const struct nsock_name *peer, int iif)
{
	struct {
		uint8_t peer[16], local[16];
		uint16_t pport, lport;
	} key = {.pport = peer->port, .lport = local->port};
	struct udp_sock *u;
	unsigned n = 0, pick;

	LIST_FOR_EACH(u, bucket, bound) {
		if (u->connected)
			break;
		n += u->s.opt.reuseport && score(u, local, iif) == points;
	}
	if (n < 2)
		return best;
	memcpy(key.peer, peer->addr.v6, peer->addr.family == AF_INET ? 4 : 16);
	memcpy(key.local, local->addr.v6, local->addr.family == AF_INET ? 4 : 16);
	pick = (unsigned)(netstack_hash(st, &key, sizeof(key)) % n);
	LIST_FOR_EACH(u, bucket, bound) {
		if (u->connected)
			break;
		if (u->s.opt.reuseport && score(u, local, iif) == points && pick-- == 0)
			return u;
	}
	return best;
}

struct udp_sock *udp_lookup(struct netstack *st, bool lite, const struct nsock_name *local, const struct nsock_name *peer,
			    int iif)
{
	struct list *bucket = conn_bucket(st, lite, local, peer);
	struct udp_sock *u, *best = NULL;
	int points = -1;

	LIST_FOR_EACH(u, bucket, conn) {
		if (u->s.local.port == local->port && u->s.peer.port == peer->port &&
		    ip_addr_equal(&u->s.local.addr, &local->addr) && ip_addr_equal(&u->s.peer.addr, &peer->addr) &&
		    (!u->s.opt.bound_if || u->s.opt.bound_if == iif))
			return u;
	}
	bucket = udp_port_bucket(st, lite, local->port);
	LIST_FOR_EACH(u, bucket, bound) {
		int n;

		if (u->connected)
			break;
		n = score(u, local, iif);
		if (n > points) {
			points = n;
			best = u;
		}
	}
	if (best && best->s.opt.reuseport)
		return balance(st, bucket, best, points, local, peer, iif);
	return best;
}

bool udp_match_multi(const struct udp_sock *u, const struct nsock_name *local, const struct nsock_name *peer, int iif)
{
	const struct nsock *s = &u->s;

	if (s->local.port != local->port || !family_fits(s, &local->addr))
		return false;
	if (!ip_addr_any(&s->local.addr) && !ip_addr_equal(&s->local.addr, &local->addr) &&
	    !(u->connected && !u->addr_fixed))
		return false;
	if (u->connected && (s->peer.port != peer->port || !ip_addr_equal(&s->peer.addr, &peer->addr)))
		return false;
	return !s->opt.bound_if || s->opt.bound_if == iif;
}
