/* Netlink requests of a program, with every right, against a stack with two interfaces. The first byte chooses the
 * protocol and the flags; what is built up goes on for the whole run, as in a sandbox. */
#include <linux/netlink.h>
#include <net/if_arp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "netd/core/netif.h"
#include "netd/core/pkt.h"
#include "netd/core/stack.h"
#include "netd/netlink/netlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t now(void *arg)
{
	static uint64_t ns = 1000000000;

	(void)arg;
	return ns += 1000000;
}

static void fill(void *arg, void *buf, size_t size)
{
	(void)arg;
	memset(buf, 0x5a, size);
}

static int xmit(struct netif *nif, struct pkt *p)
{
	(void)nif;
	pkt_free(p);
	return 0;
}

static void done(struct netif *nif)
{
	free(nif);
}

static void emit(void *arg, uint32_t group, const void *msg, size_t size)
{
	(void)arg;
	(void)group;
	if (size < sizeof(struct nlmsghdr) || ((const struct nlmsghdr *)msg)->nlmsg_len > size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct netif_ops ops = {.xmit = xmit, .free = done};
	static const struct netstack_env env = {.mono_ns = now, .real_ns = now, .random = fill};
	static struct netstack *st;
	static unsigned runs;

	if (st && ++runs % 10000 == 0) {
		netstack_free(st);
		st = NULL;
	}
	if (!st) {
		struct netif *nif = calloc(1, sizeof(*nif));

		st = netstack_new(&env);
		*nif = (struct netif){.ops = &ops, .name = "eth0", .type = ARPHRD_ETHER, .mac = {2, 0, 0, 0, 0, 1},
				      .mtu = 1500, .flags = 0x1002, .txqlen = 1000};
		if (netif_add(st, nif) || netif_set_up(nif, true) || netif_set_up(netif_loopback(st), true))
			abort();
	}
	if (size < 1)
		return 0;
	netstack_tick(st);
	netlink_request(st, data[0] & 1 ? NETLINK_SOCK_DIAG : NETLINK_ROUTE, 7, data[0] & 0xf1, data + 1, size - 1, emit, NULL);
	netstack_run(st);
	return 0;
}
