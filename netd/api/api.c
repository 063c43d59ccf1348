/* The ring to sysd: messages in, messages out, kicks, the bell. */
#include "netd/api/api.h"

#include <linux/futex.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "common/base/util.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"
#include "netd/core/netif.h"
#include "netd/core/pkt_priv.h"
#include "netd/sock/sock.h"

#define MESSAGES_A_ROUND 256
#define KICKS_A_ROUND 512
#define OUTBOX_BUSY 1024u
#define OUTBOX_MAX 65536u /* messages that wait for room in the ring: sysd has stopped reading */

/* ---- out ---------------------------------------------------------------------------------------- */

static bool flush_outbox(struct api *a)
{
	while (!list_empty(&a->outbox)) {
		struct api_out *o = LIST_FIRST(&a->outbox, struct api_out, node);

		if (ring_send_quiet(&a->ring, o->data, o->size) == -EAGAIN)
			return false;
		list_del(&o->node);
		a->outbox_count--;
		a->news = true;
		free(o);
	}
	return true;
}

void api_send(struct api *a, const struct net_msg *m)
{
	long n = net_msg_encode(m, a->out_buf, sizeof(a->out_buf));
	struct api_out *o;

	if (n < 0) {
		log_error("cannot encode message %u: %s", m->kind, strerror((int)-n));
		return;
	}
	a->news = true;
	if (list_empty(&a->outbox) && ring_send_quiet(&a->ring, a->out_buf, (size_t)n) != -EAGAIN)
		return;
	o = a->outbox_count < OUTBOX_MAX ? malloc(sizeof(*o) + (size_t)n) : NULL;
	if (!o) {
		log_error("sysd does not read its messages");
		a->broken = true;
		return;
	}
	o->size = (uint32_t)n;
	memcpy(o->data, a->out_buf, (size_t)n);
	list_add_tail(&a->outbox, &o->node);
	a->outbox_count++;
}

void api_reply(struct api *a, uint32_t req, int error)
{
	api_reply_data(a, req, error, NULL, 0, 0);
}

void api_reply_data(struct api *a, uint32_t req, int error, const void *data, uint32_t size, uint64_t value)
{
	static struct net_msg m; /* large; one thread, no nesting */

	if (!req)
		return;
	memset(&m, 0, offsetof(struct net_msg, opts));
	m.kind = NET_REPLY;
	m.req = req;
	m.error = error;
	m.sock = m.peer = NET_SOCK_NONE;
	m.value = value;
	m.data = data;
	m.data_size = size;
	m.opt_count = 0;
	api_send(a, &m);
}

static void ring_bell(struct api *a)
{
	__atomic_add_fetch(&a->hdr->bell, 1, __ATOMIC_SEQ_CST);
	/* Once is enough: until it runs and sleeps again, what comes is found. */
	if (__atomic_load_n(&a->hdr->sysd_sleeps, __ATOMIC_SEQ_CST) &&
	    __atomic_exchange_n(&a->hdr->sysd_sleeps, 0, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &a->hdr->bell, FUTEX_WAKE, 1, NULL, NULL, 0);
	a->news = false;
}

static void tell_generation(struct api *a)
{
	struct api_space *sp;

	LIST_FOR_EACH(sp, &a->spaces, node) {
		uint32_t g = netstack_generation(sp->st);

		if (g == sp->generation)
			continue;
		sp->generation = g;
		__atomic_add_fetch(&a->hdr->generation, 1, __ATOMIC_RELEASE);
	}
}

void api_publish(struct api *a)
{
	struct api_sock *k;

	if (!list_empty(&a->outbox))
		flush_outbox(a);
	tell_generation(a);
	/* Connections before the replies that wake their other ends, and both before any readiness. */
	while (!list_empty(&a->children)) {
		k = LIST_FIRST(&a->children, struct api_sock, waiting);
		list_del(&k->waiting);
		api_child_tell(k);
	}
	while (!list_empty(&a->connecting)) {
		k = LIST_FIRST(&a->connecting, struct api_sock, waiting);
		list_del(&k->waiting);
		api_connect_done(k);
	}
	while (!list_empty(&a->dirty)) {
		k = LIST_FIRST(&a->dirty, struct api_sock, dirty);
		list_del(&k->dirty);
		api_sock_publish(k);
	}
	if (a->news)
		ring_bell(a);
}

/* ---- in ----------------------------------------------------------------------------------------- */

static bool receive_messages(struct api *a)
{
	unsigned n = 0;

	/* Whoever does not read its answers asks nothing more: what waits for it is bounded. */
	for (; n < MESSAGES_A_ROUND && a->outbox_count < OUTBOX_BUSY; n++) {
		ssize_t size = ring_recv(&a->ring, a->buf, sizeof(a->buf));

		if (size == -EAGAIN)
			break;
		if (size < 0) {
			log_error("the ring to sysd is broken: %s", strerror((int)-size));
			a->broken = true;
			break;
		}
		if (net_msg_decode(a->buf, (size_t)size, &a->msg)) {
			log_warn("refused a malformed message of %zd bytes", size);
			continue;
		}
		api_request(a, &a->msg);
	}
	return n > 0;
}

static bool receive_kicks(struct api *a)
{
	unsigned n = 0;

	for (; n < KICKS_A_ROUND; n++) {
		int64_t index = net_event_get(&a->in);

		if (index < 0)
			break;
		if (index >= NET_SOCKS_MAX)
			continue;
		/* Also of a socket that is gone: the next one with its number would not be heard again. */
		net_event_clear(&net_ctl(a->arena.base, (uint32_t)index)->kick_pending);
		if (a->socks[index] && a->socks[index]->s)
			api_sock_kick(a->socks[index]);
	}
	return n > 0;
}

bool api_receive(struct api *a)
{
	struct list busy;
	bool any;

	/* A message goes before the bytes that follow it; what was handed over before a message is looked at by its
	 * handler, where it matters. */
	any = receive_messages(a);
	any |= receive_kicks(a);
	busy = a->busy;
	if (!list_empty(&a->busy)) {
		any = true;
		busy.next->prev = &busy;
		busy.prev->next = &busy;
		list_init(&a->busy);
		while (!list_empty(&busy)) {
			struct api_sock *k = LIST_FIRST(&busy, struct api_sock, busy);

			list_del(&k->busy);
			api_sock_kick(k);
		}
	}
	return any;
}

bool api_before_sleep(struct api *a)
{
	__atomic_store_n(&a->hdr->netd_sleeps, 1, __ATOMIC_SEQ_CST);
	if (ring_readable(&a->ring) || net_event_any(&a->in) || !list_empty(&a->busy) || !list_empty(&a->outbox)) {
		api_after_sleep(a);
		return false;
	}
	return true;
}

void api_after_sleep(struct api *a)
{
	__atomic_store_n(&a->hdr->netd_sleeps, 0, __ATOMIC_SEQ_CST);
}

/* ---- memory ------------------------------------------------------------------------------------- */

#define TIDY_MS 5000u   /* for so long a region that is free is worth its memory */
#define TIDY_STEP_MS 5u
#define TIDY_STEP 256u  /* regions at a time: below a millisecond */
#define TIDY_LAST_MS 70000u /* by then nothing in TIME_WAIT is left of the crowd, which lies in between */

static void tidy_heap(void)
{
	pkt_pool_trim();
	malloc_trim(0);
}

int64_t api_tidy(struct api *a)
{
	uint64_t now;
	unsigned n;

	if (!a->tidy_ms && !arena_untidy(&a->arena))
		return -1;
	now = a->env.mono_ns(a->env.arg) / 1000000;
	if (!a->tidy_ms)
		a->tidy_ms = now + TIDY_MS;
	if (now < a->tidy_ms)
		return (int64_t)(a->tidy_ms - now);
	n = arena_tidy(&a->arena, TIDY_STEP);
	a->tidied += n;
	if (n == TIDY_STEP) {
		a->tidy_ms = now + TIDY_STEP_MS;
		return TIDY_STEP_MS;
	}
	if (a->tidied && !n) { /* what the sockets themselves were, and their packets */
		tidy_heap();
		a->tidied = 0;
		a->tidy_last_ms = now + TIDY_LAST_MS;
	} else if (a->tidy_last_ms && now >= a->tidy_last_ms) {
		tidy_heap();
		a->tidy_last_ms = 0;
	}
	a->tidy_ms = a->tidied || arena_untidy(&a->arena) ? now + TIDY_MS : a->tidy_last_ms;
	return a->tidy_ms ? (int64_t)(a->tidy_ms - now) : -1;
}

/* ---- begin and end ------------------------------------------------------------------------------ */

void api_space_free(struct api_space *sp)
{
	struct list closed;

	/* One that closes takes others with it (a listener its children): no place in the list is safe to keep. */
	list_init(&closed);
	while (!list_empty(&sp->sockets)) {
		struct api_sock *k = LIST_FIRST(&sp->sockets, struct api_sock, in_space);

		list_del(&k->in_space);
		list_add_tail(&closed, &k->in_space);
		if (!k->closed)
			api_sock_close(k, true);
	}
	api_space_stop(sp);
	netstack_free(sp->st);
	while (!list_empty(&closed)) /* what their protocols had not finished */
		api_sock_forget(LIST_FIRST(&closed, struct api_sock, in_space));
	list_del(&sp->node);
	free(sp);
}

struct api_space *api_space_find(struct api *a, uint32_t id)
{
	struct api_space *sp;

	LIST_FOR_EACH(sp, &a->spaces, node)
		if (sp->id == id)
			return sp;
	return NULL;
}

static int announce(struct api *a)
{
	static struct net_msg m = {.kind = NET_UP, .ticket = 1, .ticket2 = 2};
	int pair[2], ret;

	/* A socket, since its other end can be told not to wait at each call: sysd must not depend on flags that we
	 * could change. */
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	a->wake_fd = pair[0];
	ret = fdpass_send(a->pass_fd, 1, a->arena.fd);
	if (!ret)
		ret = fdpass_send(a->pass_fd, 2, pair[1]);
	close(pair[1]);
	m.value = a->arena.size;
	if (!ret) {
		long n = net_msg_encode(&m, a->out_buf, sizeof(a->out_buf));

		ret = n < 0 ? (int)n : ring_send(&a->ring, a->out_buf, (size_t)n);
	}
	return ret;
}

int api_init(struct api *a, int ring_fd, int pass_fd, const struct netstack_env *env, struct netstack *first)
{
	struct api_space *sp = calloc(1, sizeof(*sp));
	int ret;

	a->pass_fd = pass_fd;
	a->env = *env;
	a->wake_fd = -1;
	list_init(&a->spaces);
	list_init(&a->dirty);
	list_init(&a->connecting);
	list_init(&a->children);
	list_init(&a->busy);
	list_init(&a->outbox);
	a->socks = calloc(NET_SOCKS_MAX, sizeof(*a->socks));
	if (!sp || !a->socks)
		return -ENOMEM;
	*sp = (struct api_space){.api = a, .id = 1, .st = first};
	list_init(&sp->sockets);
	list_add_tail(&a->spaces, &sp->node);
	api_space_start(sp);
	ret = ring_open(&a->ring, ring_fd, SBX_RING_SIDE_PEER);
	if (ret)
		return ret;
	ret = arena_init(&a->arena, NET_ARENA_SIZE);
	if (ret)
		return ret;
	a->hdr = net_header(a->arena.base);
	a->out.ring = &a->hdr->to_sysd;
	a->in.ring = &a->hdr->to_netd;
	return announce(a);
}

void api_done(struct api *a)
{
	struct api_space *sp, *next;

	LIST_FOR_EACH_SAFE(sp, next, &a->spaces, node)
		api_space_free(sp);
	while (!list_empty(&a->outbox)) {
		struct api_out *o = LIST_FIRST(&a->outbox, struct api_out, node);

		list_del(&o->node);
		free(o);
	}
	free(a->socks);
	arena_done(&a->arena);
	ring_close(&a->ring);
	close_fd(&a->wake_fd);
}

/* ---- names -------------------------------------------------------------------------------------- */

void net_name_put(struct net_name *to, const struct nsock_name *from)
{
	*to = (struct net_name){.family = from->addr.family,
				.port = from->port,
				.scope = from->addr.scope,
				.flowinfo = from->flowinfo};
	if (from->addr.family == AF_INET)
		memcpy(to->addr, &from->addr.v4, 4);
	else if (from->addr.family == AF_INET6)
		memcpy(to->addr, from->addr.v6, 16);
}

int net_name_get(const struct net_name *from, struct nsock_name *to)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	*to = (struct nsock_name){.port = from->port, .flowinfo = from->flowinfo};
	to->addr.scope = from->scope;
	if (from->family == AF_INET6 && !memcmp(from->addr, mapped, sizeof(mapped))) {
		to->addr.family = AF_INET;
		memcpy(&to->addr.v4, from->addr + 12, 4);
	} else if (from->family == AF_INET6) {
		to->addr.family = AF_INET6;
		memcpy(to->addr.v6, from->addr, 16);
	} else if (from->family == AF_INET) {
		to->addr.family = AF_INET;
		memcpy(&to->addr.v4, from->addr, 4);
	} else if (from->family == AF_PACKET) {
		to->addr.family = AF_PACKET; /* scope is the interface, port the protocol */
	} else {
		return -EINVAL;
	}
	return 0;
}
