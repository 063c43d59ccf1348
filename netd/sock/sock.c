/* What all transport endpoints share: the list, references, the end. */
#include "netd/sock/sock.h"

#include "netd/core/stack_priv.h"
#include "netd/sock/mcast.h"

#define IP_PMTUDISC_WANT_ 1

_Static_assert(NSOCK_HOST + 1 == NSOCK_KINDS, "a list for each kind");

void nsock_init(struct nsock *s, struct netstack *st, const struct nsock_ops *ops, enum nsock_kind kind, int family,
		int type, int protocol, const struct nsock_up *up, void *owner)
{
	*s = (struct nsock){.ops = ops, .up = up, .owner = owner, .st = st, .refs = 1, .kind = kind, .family = family,
			    .type = type, .protocol = protocol, .cookie = st->next_cookie++};
	s->opt.mc_loop = s->opt.mc_loop6 = s->opt.mc_all = s->opt.mc_all6 = true;
	s->opt.pmtudisc = st->sysctl[NET_SYSCTL_IP_NO_PMTU_DISC] ? 0 : IP_PMTUDISC_WANT_;
	s->opt.pmtudisc6 = IP_PMTUDISC_WANT_;
	s->opt.sndbuf = (int)st->sysctl[NET_SYSCTL_CORE_WMEM_DEFAULT];
	s->opt.rcvbuf = (int)st->sysctl[NET_SYSCTL_CORE_RMEM_DEFAULT];
	s->opt.v6only = family == AF_INET6 && st->sysctl[NET_SYSCTL_IPV6_BINDV6ONLY];
	list_add_tail(&st->socks[kind], &s->all);
}

void nsock_set_rings(struct nsock *s, struct bytering *tx, struct bytering *rx)
{
	s->tx = tx;
	s->rx = rx;
}

void nsock_close(struct nsock *s, bool reset)
{
	if (s->closed)
		return;
	s->closed = true;
	nsock_mcast_drop_all(s);
	/* `up` stays until `done` was called: the transport's nsock_unref of the last reference calls it. */
	s->ops->close(s, reset);
	nsock_unref(s);
}

void nsock_unref(struct nsock *s)
{
	const struct nsock_up *up = s->up;

	if (--s->refs > 0)
		return;
	list_del(&s->all);
	s->up = NULL;
	if (up && up->done)
		up->done(s);
	s->ops->free(s);
}

void nsock_raise(struct nsock *s, uint32_t mask)
{
	if (s->up && !s->closed && s->up->event)
		s->up->event(s, mask);
}

struct nsock *nsock_next(struct netstack *st, enum nsock_kind kind, struct nsock *prev)
{
	struct list *n = prev ? prev->all.next : st->socks[kind].next;

	return n == &st->socks[kind] ? NULL : LIST_ENTRY(n, struct nsock, all);
}
