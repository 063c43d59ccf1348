#include "launcher/net/take.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include "common/base/util.h"
#include "common/ipc/fdpass.h"
#include "common/log/log.h"
#include "launcher/net/drop.h"
#include "launcher/net/rtnl.h"
#include "launcher/net/undo.h"

#define SOCKET_BUFFER (8 << 20)

void net_taken_init(struct net_taken *t)
{
	*t = (struct net_taken){.config_fd = -1, .pcap_fd = -1, .resolver_fd = -1, .undo = -1};
	for (size_t i = 0; i < LINK_LINKS_MAX; i++)
		t->link_fd[i] = t->drop_fd[i] = -1;
	for (size_t i = 0; i < LINK_RESOLVER_LINES; i++)
		t->resolver_tcp[i] = -1;
}

void net_taken_done(struct net_taken *t)
{
	for (size_t i = 0; i < LINK_LINKS_MAX; i++) {
		close_fd(&t->link_fd[i]);
		close_fd(&t->drop_fd[i]);
	}
	for (size_t i = 0; i < LINK_RESOLVER_LINES; i++)
		close_fd(&t->resolver_tcp[i]);
	close_fd(&t->config_fd);
	close_fd(&t->pcap_fd);
	close_fd(&t->resolver_fd);
	close_fd(&t->undo);
	link_config_done(&t->config);
}

/* A link's frames, whole: with the header that says what is unfinished about them. */
static int open_link(const struct link_if *l, struct err *e)
{
	const struct packet_mreq all = {.mr_ifindex = (int)l->index, .mr_type = PACKET_MR_ALLMULTI};
	const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = (int)l->index};
	const int one = 1, size = SOCKET_BUFFER;
	/* protocol 0: nothing comes before it is bound to the interface */
	CLEANUP_CLOSE int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, errno, "a packet socket for %s", l->name);
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) < 0)
		return err_sys(e, errno, "%s: PACKET_VNET_HDR", l->name);
	if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0)
		return err_sys(e, errno, "%s: options of a packet socket", l->name);
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		log_debug("%s: small socket buffers", l->name);
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0)
		log_debug("%s: multicast is filtered by the interface", l->name);
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return err_sys(e, errno, "a packet socket for %s", l->name);
	return STEAL_FD(fd);
}

/* The host's kernel gets no IPv6 on the interface; what it had comes back by the list. */
static int silence_ipv6(const struct net_taken *t, const struct link_if *l, struct err *e)
{
	char path[96], text[96];

	if (!l->ipv6)
		return 0;
	snprintf(text, sizeof(text), "net/ipv6/conf/%s/disable_ipv6=0", l->name);
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", l->name);
	if (undo_add_text(t->undo, UNDO_SYSCTL, text) < 0)
		return err_sys(e, ENOMEM, "the way back");
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		return err_sys(e, errno, "%s", path);
	return 0;
}

static int remove_addr(int sock, const struct link_addr *a, struct err *e)
{
	size_t size = a->addr.family == AF_INET ? 4 : 16;
	const struct ifaddrmsg ifa = {.ifa_family = a->addr.family, .ifa_prefixlen = a->prefix,
				      .ifa_index = a->index};
	char text[INET6_ADDRSTRLEN];
	struct rtnl_msg m;
	int r;

	rtnl_init(&m, RTM_DELADDR, 0, &ifa, sizeof(ifa));
	rtnl_put(&m, IFA_LOCAL, a->addr.bytes, size);
	rtnl_put(&m, IFA_ADDRESS, a->peer.family ? a->peer.bytes : a->addr.bytes, size);
	r = rtnl_call(sock, &m);
	if (r == 0 || r == -EADDRNOTAVAIL)
		return 0;
	inet_ntop(a->addr.family, a->addr.bytes, text, sizeof(text));
	return err_sys(e, -r, "taking the address %s from the host", text);
}

int net_take(struct net_taken *t, struct err *e)
{
	const struct link_config *c = &t->config;
	CLEANUP_CLOSE int sock = rtnl_open();
	int r = 0;

	if (sock < 0)
		return err_sys(e, -sock, "a netlink socket");
	for (size_t i = 0; r == 0 && i < c->link_count; i++)
		r = silence_ipv6(t, &c->links[i], e);
	for (size_t i = 0; r == 0 && i < c->addr_count; i++)
		if (c->addrs[i].addr.family == AF_INET && !t->keep_v4)
			r = remove_addr(sock, &c->addrs[i], e);
	for (size_t i = 0; r == 0 && i < c->link_count; i++) {
		t->link_fd[i] = open_link(&c->links[i], e);
		if (t->link_fd[i] < 0) {
			r = t->link_fd[i];
		} else if (!t->keep_v4) {
			t->drop_fd[i] = drop_ingress(c->links[i].index);
			if (t->drop_fd[i] < 0)
				log_debug("%s: the host's stack sees its frames too: %s", c->links[i].name, strerror(-t->drop_fd[i]));
		}
	}
	return r;
}

int net_seal(struct net_taken *t, struct err *e)
{
	CLEANUP_FREE uint8_t *buf = NULL;
	long size = link_config_encode(&t->config, &buf);

	if (size < 0)
		return err_sys(e, (int)-size, "the network's configuration");
	close_fd(&t->config_fd);
	t->config_fd = memfd_create("link-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (t->config_fd < 0 || write(t->config_fd, buf, (size_t)size) != size ||
	    fcntl(t->config_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return err_sys(e, errno, "the network's configuration");
	return 0;
}

static int pass(int sock, uint64_t ticket, int fd, struct err *e)
{
	int r;

	for (int i = 0; i < 5000; i++) {
		r = fdpass_send(sock, ticket, fd);
		if (r != -EAGAIN)
			return r < 0 ? err_sys(e, -r, "passing the network to sbx-netd") : 0;
		usleep(200);
	}
	return err_set(e, ETIMEDOUT, "sbx-netd does not take its links");
}

int net_send(const struct net_taken *t, int pass_fd, struct err *e)
{
	int r = 0;

	if (t->pcap_fd >= 0)
		r = pass(pass_fd, LINK_TICKET_PCAP, t->pcap_fd, e);
	if (r == 0 && t->resolver_fd >= 0)
		r = pass(pass_fd, LINK_TICKET_RESOLVER, t->resolver_fd, e);
	for (size_t i = 0; r == 0 && i < LINK_RESOLVER_LINES; i++)
		if (t->resolver_tcp[i] >= 0)
			r = pass(pass_fd, LINK_TICKET_RESOLVER_TCP((unsigned)i), t->resolver_tcp[i], e);
	for (size_t i = 0; r == 0 && i < t->config.link_count; i++)
		if (t->config.links[i].kind != LINK_HOST)
			r = pass(pass_fd, LINK_TICKET_LINK(i), t->link_fd[i], e);
	return r < 0 ? r : pass(pass_fd, LINK_TICKET_CONFIG, t->config_fd, e);
}
