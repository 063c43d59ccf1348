/* Local ports: a hash of ports in use for each space, each with the list of those who hold it. */
#include "netd/sock/port.h"

#include "netd/core/stack_priv.h"
#include "netd/core/wire.h"
#include "netd/sock/sock.h"

#define BUCKETS 1024u
#define OFFSETS 256u

struct port {
	struct list node;
	enum port_space space;
	uint16_t number;         /* host order */
	struct list holders;
	unsigned bound;          /* holders that were not given it by connect */
};

struct holding {
	struct list node;
	struct port *port;
	struct netstack *st;
	struct nsock *s;         /* NULL: outlived it, the copies below count */
	bool by_connect, listening;
	/* of a holding that was detached */
	int family, bound_if;
	struct ip_addr addr;
	bool v6only, reuseaddr, reuseport, aside;
	uint32_t uid;
};

struct port_state {
	struct list buckets[PORT_SPACE_COUNT][BUCKETS];
	uint32_t offsets[OFFSETS]; /* RFC 6056 algorithm 4: where the search for a pair of addresses goes on */
};

struct claim {
	int family, bound_if;
	struct ip_addr addr;
	bool v6only, reuseaddr, reuseport, aside;
	uint32_t uid;
};

static struct claim claim_of_sock(const struct nsock *s, const struct ip_addr *addr)
{
	return (struct claim){s->family, s->opt.bound_if, *addr, s->opt.v6only, s->opt.reuseaddr, s->opt.reuseport,
			      s->opt.aside, s->opt.uid};
}

static struct claim claim_of(const struct holding *h)
{
	if (h->s)
		return claim_of_sock(h->s, &h->s->local.addr);
	return (struct claim){h->family, h->bound_if, h->addr, h->v6only, h->reuseaddr, h->reuseport, h->aside, h->uid};
}

static struct list *bucket_of(struct netstack *st, enum port_space space, uint16_t number)
{
	return &st->ports->buckets[space][number % BUCKETS];
}

static struct port *port_find(struct netstack *st, enum port_space space, uint16_t number)
{
	struct port *p;

	LIST_FOR_EACH(p, bucket_of(st, space, number), node) {
		if (p->number == number)
			return p;
	}
	return NULL;
}

static bool overlap(const struct claim *a, const struct claim *b)
{
	bool any_a = ip_addr_any(&a->addr), any_b = ip_addr_any(&b->addr);
	/* A wildcard of IPv6 covers IPv4 unless V6ONLY. */
	bool a4 = a->addr.family != AF_INET6, b4 = b->addr.family != AF_INET6;

	if (a4 == b4)
		return any_a || any_b || ip_addr_equal(&a->addr, &b->addr);
	if (a4)
		return any_b && !b->v6only;
	return any_a && !a->v6only;
}

/* Linux's rules: inet_csk_bind_conflict for TCP, udp_lib_lport_inuse for datagrams. */
static bool conflict(enum port_space space, const struct claim *mine, const struct holding *h, const struct nsock *self)
{
	struct claim other = claim_of(h);

	if ((h->s && h->s == self) || other.aside)
		return false;
	if (mine->bound_if && other.bound_if && mine->bound_if != other.bound_if)
		return false;
	if (!overlap(mine, &other))
		return false;
	if (mine->reuseport && other.reuseport && (mine->uid == other.uid || (space == PORT_TCP && !h->s)))
		return false;
	if (mine->reuseaddr && other.reuseaddr && !(space == PORT_TCP && h->listening))
		return false;
	return true;
}

static bool port_free_for(struct netstack *st, enum port_space space, uint16_t number, const struct claim *mine,
			  const struct nsock *self)
{
	struct port *p = port_find(st, space, number);
	struct holding *h;

	if (!p)
		return true;
	LIST_FOR_EACH(h, &p->holders, node) {
		if (conflict(space, mine, h, self))
			return false;
	}
	return true;
}

static int hold(struct nsock *s, enum port_space space, uint16_t number, bool by_connect)
{
	struct port *p = port_find(s->st, space, number);
	struct holding *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p) {
			free(h);
			return -ENOMEM;
		}
		p->space = space;
		p->number = number;
		list_init(&p->holders);
		list_add(bucket_of(s->st, space, number), &p->node);
	}
	h->st = s->st;
	h->port = p;
	h->s = s;
	h->by_connect = by_connect;
	p->bound += !by_connect;
	list_add_tail(&p->holders, &h->node);
	s->port = h;
	return 0;
}

static void range(struct netstack *st, uint32_t *low, uint32_t *count)
{
	uint32_t first = (uint32_t)st->sysctl[NET_SYSCTL_IP_LOCAL_PORT_RANGE_0];
	uint32_t last = (uint32_t)st->sysctl[NET_SYSCTL_IP_LOCAL_PORT_RANGE_1];

	*low = MAX(first, 1u);
	*count = last >= *low && last < 65536 ? last - *low + 1 : 1;
}

/* The i-th port that is tried: first all of one parity, then the others, so that bind and connect keep out of each
 * other's way. */
static uint16_t nth(uint32_t low, uint32_t count, uint32_t offset, uint32_t i, unsigned parity)
{
	uint32_t half = (count + 1) / 2, at;

	at = i < half ? 2 * ((offset + i) % half) + parity : 2 * ((offset + i) % half) + (1 - parity);
	return (uint16_t)(low + at % count);
}

int port_bind(struct nsock *s, enum port_space space, const struct nsock_name *n)
{
	struct claim mine = claim_of_sock(s, &n->addr);
	uint16_t number = be16(n->port);
	int ret;

	if (!number) {
		uint32_t low, count, offset = netstack_random32(s->st) >> 2, i;

		/* A free port is one that nobody holds: sharing is for those who ask for it by number. */
		mine.reuseaddr = mine.reuseport = false;
		range(s->st, &low, &count);
		for (i = 0; i < count + 1; i++) {
			number = nth(low, count, offset, i, 1);
			if (port_free_for(s->st, space, number, &mine, s))
				break;
		}
		if (i == count + 1)
			return -EADDRINUSE;
	} else if (!port_free_for(s->st, space, number, &mine, s)) {
		return -EADDRINUSE;
	}
	ret = hold(s, space, number, false);
	if (ret < 0)
		return ret;
	s->local = *n;
	s->local.port = be16(number);
	return 0;
}

int port_connect(struct nsock *s, enum port_space space, const struct nsock_name *local, const struct nsock_name *peer,
		 bool (*taken)(struct nsock *s, const struct nsock_name *local, const struct nsock_name *peer))
{
	struct {
		uint8_t local[16], peer[16];
		uint32_t port;
	} key = {.port = peer->port};
	struct nsock_name try = *local;
	uint32_t low, count, offset, *moving;
	uint64_t h;

	memcpy(key.local, local->addr.v6, local->addr.family == AF_INET ? 4 : 16);
	memcpy(key.peer, peer->addr.v6, peer->addr.family == AF_INET ? 4 : 16);
	h = netstack_hash(s->st, &key, sizeof(key));
	moving = &s->st->ports->offsets[h >> 32 & (OFFSETS - 1)];
	range(s->st, &low, &count);
	offset = ((uint32_t)h >> 1) + *moving;
	offset &= INT32_MAX;
	for (uint32_t i = 0; i < count + 1; i++) {
		uint16_t number = nth(low, count, offset, i, 0);
		struct port *p = port_find(s->st, space, number);
		int ret;

		try.port = be16(number);
		if (p && (p->bound || taken(s, &try, peer)))
			continue;
		ret = hold(s, space, number, true);
		if (ret < 0)
			return ret;
		/* An unknown stride, so that the ports to one peer do not tell of those to another. */
		*moving += i + 1 + netstack_random32(s->st) % 8;
		s->local = try;
		return 0;
	}
	return -EADDRNOTAVAIL;
}

int port_share(struct nsock *s, struct nsock *holder)
{
	struct holding *h = holder->port;

	return h ? hold(s, h->port->space, h->port->number, h->by_connect) : -EINVAL;
}

static void holding_free(struct holding *h)
{
	struct port *p = h->port;

	list_del(&h->node);
	p->bound -= !h->by_connect;
	if (list_empty(&p->holders)) {
		list_del(&p->node);
		free(p);
	}
	free(h);
}

void port_release(struct nsock *s)
{
	if (!s->port)
		return;
	holding_free(s->port);
	s->port = NULL;
}

void *port_detach(struct nsock *s)
{
	struct holding *h = s->port;
	struct claim c;

	if (!h)
		return NULL;
	c = claim_of(h);
	h->family = c.family;
	h->bound_if = c.bound_if;
	h->addr = c.addr;
	h->v6only = c.v6only;
	h->reuseaddr = c.reuseaddr;
	h->reuseport = c.reuseport;
	h->aside = c.aside;
	h->uid = c.uid;
	h->listening = false;
	h->s = NULL;
	s->port = NULL;
	return h;
}

void port_drop(void *holding)
{
	if (holding)
		holding_free(holding);
}

int port_listen_check(struct nsock *s)
{
	struct holding *mine = s->port, *h;
	struct claim c;

	if (!mine)
		return -EINVAL;
	c = claim_of(mine);
	LIST_FOR_EACH(h, &mine->port->holders, node) {
		/* A listener beside connections of its port is what SO_REUSEADDR is for; beside another listener it is not. */
		if (conflict(mine->port->space, &c, h, s))
			return -EADDRINUSE;
	}
	mine->listening = true;
	return 0;
}

int port_init(struct netstack *st)
{
	st->ports = malloc(sizeof(*st->ports));
	if (!st->ports)
		return -ENOMEM;
	for (unsigned i = 0; i < PORT_SPACE_COUNT; i++) {
		for (unsigned j = 0; j < BUCKETS; j++)
			list_init(&st->ports->buckets[i][j]);
	}
	for (unsigned i = 0; i < OFFSETS; i++)
		st->ports->offsets[i] = netstack_random32(st);
	return 0;
}

void port_done(struct netstack *st)
{
	if (!st->ports)
		return;
	for (unsigned i = 0; i < PORT_SPACE_COUNT; i++) {
		for (unsigned j = 0; j < BUCKETS; j++) {
			struct list *b = &st->ports->buckets[i][j];

			while (!list_empty(b)) {
				struct port *p = LIST_FIRST(b, struct port, node);
				bool last = false;

				/* Owners that did not close: their sockets are not looked at any more. */
				while (!last) {
					last = p->holders.next->next == &p->holders;
					holding_free(LIST_FIRST(&p->holders, struct holding, node));
				}
			}
		}
	}
	free(st->ports);
	st->ports = NULL;
}
