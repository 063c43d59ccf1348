/* netd's server under a hostile sysd: each input is a program of messages (raw bytes, or well-formed ones with fields from
 * the input), kicks, and scribbles over the words and regions that sysd may write. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/util.h"
#include "common/ipc/startup.h"
#include "netd/api/api.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"

static uint64_t now_ns;

static uint64_t env_time(void *arg)
{
	(void)arg;
	return now_ns;
}

static void env_random(void *arg, void *p, size_t size)
{
	(void)arg;
	memset(p, 0x5a, size);
}

struct input {
	const uint8_t *data;
	size_t size;
};

static uint64_t take(struct input *in, size_t n)
{
	uint64_t v = 0;

	n = MIN(n, in->size);
	memcpy(&v, in->data, n);
	in->data += n;
	in->size -= n;
	return v;
}

static void put_name(struct input *in, struct net_name *n)
{
	static const uint16_t families[] = {0, AF_INET, AF_INET6, AF_PACKET};

	n->family = families[take(in, 1) % 4];
	n->port = (uint16_t)(take(in, 1) << 8);
	n->scope = (uint32_t)take(in, 1) % 3;
	if (n->family == AF_INET) {
		memcpy(n->addr, (uint8_t[4]){127, 0, 0, 1}, 4);
		n->addr[3] = (uint8_t)take(in, 1);
	} else if (n->family == AF_INET6) {
		n->addr[15] = (uint8_t)take(in, 1);
	}
}

static void message(struct input *in, struct ring *ring)
{
	static const char *const texts[] = {"tcp", "udp", "dev", "route", "ipv4/tcp_rmem", "nosuch"};
	static struct net_msg m;
	static uint8_t buf[NET_MSG_MAX];
	uint8_t opt[16], data[64];
	long n;

	memset(&m, 0, sizeof(m));
	m.kind = (uint8_t)(1 + take(in, 1) % 14);
	m.req = (uint32_t)take(in, 1);
	m.ns = 1 + (uint32_t)take(in, 1) % 3;
	m.sock = take(in, 1) & 1 ? NET_SOCK_NONE : (uint32_t)take(in, 1) % 20;
	m.family = (uint32_t[]){AF_INET, AF_INET6, AF_PACKET, AF_UNIX}[take(in, 1) % 4];
	m.type = 1 + (uint32_t)take(in, 1) % 3;
	m.protocol = (uint32_t[]){6, 17, 1, 58, 255, 0x0800, 136, 0}[take(in, 1) % 8];
	m.flags = (uint32_t)take(in, 1);
	m.value = take(in, 2);
	m.level = (int32_t)take(in, 1);
	m.name = (int32_t)take(in, 1);
	put_name(in, &m.local);
	put_name(in, &m.remote);
	strcpy(m.text, texts[take(in, 1) % ARRAY_SIZE(texts)]);
	for (size_t i = 0; i < sizeof(opt); i++)
		opt[i] = (uint8_t)take(in, 1);
	m.opt_count = take(in, 1) % 2;
	m.opts[0] = (struct net_opt){m.level, m.name, (uint32_t)take(in, 1) % sizeof(opt), opt};
	m.data_size = (uint32_t)MIN(in->size, sizeof(data)) & (uint32_t)take(in, 1);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)take(in, 1);
	m.data = data;
	n = net_msg_encode(&m, buf, sizeof(buf));
	if (n > 0)
		ring_send(ring, buf, (size_t)n);
}

static void scribble(struct input *in, uint8_t *arena)
{
	struct net_ctl *c = net_ctl(arena, (uint32_t)take(in, 1) % 20);
	uint64_t *word[] = {&c->tx.tail, &c->tx.fin, &c->tx.generation, &c->tx.switch_pos, &c->tx.next_off,
			    &c->tx.next_size, &c->rx.head, &c->rx.seen, &c->rx.limit};
	unsigned which = (unsigned)take(in, 1);

	if (which < 200)
		*word[which % ARRAY_SIZE(word)] = take(in, which & 1 ? 2 : 8);
	else if (which < 230)
		c->want = (uint32_t)take(in, 1);
	else
		memset(arena + NET_REGIONS_OFF + take(in, 3) % (1u << 22), (int)take(in, 1), take(in, 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct netstack_env env = {env_time, env_time, env_random, NULL};
	struct input in = {data, size};
	struct api *api = calloc(1, sizeof(*api));
	struct netstack *st = netstack_new(&env);
	struct net_event_end kicks;
	struct ring ring;
	int pass[2], fd = ring_create_fd();

	now_ns = 1000000000;
	if (!api || !st || fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pass))
		abort();
	netif_set_up(netif_loopback(st), true);
	if (api_init(api, fd, pass[1], &env, st) || ring_open(&ring, fd, SBX_RING_SIDE_SYSD))
		abort();
	kicks = (struct net_event_end){.ring = &api->hdr->to_netd};
	for (unsigned steps = 0; in.size && steps < 200; steps++) {
		static uint8_t sink[NET_MSG_MAX];
		uint32_t pending = 0;
		struct api_space *sp;

		switch (take(&in, 1) % 6) {
		case 0:
		case 1: message(&in, &ring); break;
		case 2: scribble(&in, api->arena.base); break;
		case 3: net_event_put(&kicks, &pending, (uint32_t)take(&in, 1)); break;
		case 4: {
			size_t n = (size_t)take(&in, 1);

			n = MIN(n, in.size);
			ring_send(&ring, in.data, n);
			in.data += n;
			in.size -= n;
			break;
		}
		case 5: now_ns += take(&in, 1) * 50000000; break;
		}
		LIST_FOR_EACH(sp, &api->spaces, node)
			netstack_tick(sp->st);
		api_receive(api);
		LIST_FOR_EACH(sp, &api->spaces, node)
			netstack_run(sp->st);
		api_publish(api);
		while (ring_recv(&ring, sink, sizeof(sink)) > 0)
			;
	}
	api_done(api);
	ring_close(&ring);
	close(fd);
	close(pass[0]);
	close(pass[1]);
	free(api);
	return 0;
}
