/* An interface of the host's kernel that programs in the sandbox may see (--network=host): its name, addresses and
 * routes. Frames do not come here, and what our own stack has for it goes nowhere. */
#include <errno.h>
#include <net/if.h>

#include "common/ipc/msg_link.h"
#include "netd/core/netif.h"
#include "netd/core/pkt.h"
#include "netd/core/stack.h"
#include "netd/link/private.h"

static int shadow_xmit(struct netif *nif, struct pkt *p)
{
	(void)nif;
	pkt_free(p);
	return -ENETDOWN;
}

static void shadow_free(struct netif *nif)
{
	free(nif);
}

int shadow_link_new(struct link_set *set, const struct link_if *l)
{
	static const struct netif_ops ops = {.xmit = shadow_xmit, .free = shadow_free};
	struct netif *nif = calloc(1, sizeof(*nif));
	int ret;

	if (!nif)
		return -ENOMEM;
	*nif = (struct netif){
		.ops = &ops, .index = (int)l->index, .type = l->type, .mtu = l->mtu,
		.flags = l->flags & (IFF_BROADCAST | IFF_MULTICAST | IFF_NOARP), .txqlen = l->txqlen,
	};
	memcpy(nif->name, l->name, sizeof(nif->name));
	memcpy(nif->mac, l->mac, sizeof(nif->mac));
	ret = netif_add(set->st, nif);
	if (ret)
		free(nif);
	return ret;
}
