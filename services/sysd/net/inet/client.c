/* See client.h. Everything runs on the executor thread; messages are handled on its own stack, between strands. */
#include "services/sysd/net/inet/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/base/list.h"
#include "common/base/util.h"
#include "common/chan/ring.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/net/inet/inet.h"
#include "services/sysd/net/net_ns.h"

#define SUCCESSOR_NS (3 * NSEC_PER_SEC) /* how long a request waits for a netd */
#define CALLS_MAX 16384u                 /* under way, with those whose callers have given up */
#define UNSENT_MAX (8u * NET_SOCKS_MAX)  /* notices that wait for room: more than all sockets can have */
#define UNSENT_SOFT 4096u                /* from here on only those that must not be lost */
#define UNSENT_POLL_NS (20 * NSEC_PER_SEC / 1000)
#define SPIN_NS 30000
#define MESSAGES_A_TURN 16384u

struct call {
	struct list node;
	uint32_t req;
	bool done, abandoned;
	int error;
	struct netd_reply reply;
	void (*hook)(void *arg, const struct net_msg *reply);
	void *hook_arg;
	struct waitq wait;
};

/* A notice for which there was no room. */
struct unsent {
	struct list node;
	uint32_t size;
	uint8_t data[];
};

static struct {
	struct ring ring;
	struct fdpass_inbox inbox;
	int wake_fd;
	uint8_t *arena;          /* NULL until NET_UP */
	struct net_event_end in, out;
	bool open, quiet;        /* quiet: something was sent without waking netd */
	uint32_t epoch, next_req, next_ns;
	struct list calls;
	unsigned under_way, awaited; /* awaited: by callers that have not given up */
	struct list unsent;      /* goes before anything else */
	unsigned unsent_count;
	bool deaf;               /* netd reads so little that what it must know is lost: give it up */
	struct waitq up;
	struct sched_source source;
	bool source_added;
	struct host_watch end;   /* of the pass socket: its hang-up is netd's death */
	int pass_fd;
	struct inet_sock *socks[NET_SOCKS_MAX];
	struct net_msg out_msg, in_msg;
	uint8_t buf[NET_MSG_MAX];
} client = {.wake_fd = -1, .next_ns = 1};

unsigned netd_patience_s = 10;

uint8_t *netd_arena(void)
{
	return client.arena;
}

struct net_header *netd_header(void)
{
	return client.arena ? net_header(client.arena) : NULL;
}

uint32_t netd_epoch(void)
{
	return client.epoch;
}

void netd_attach(uint32_t index, struct inet_sock *k)
{
	client.socks[index] = k;
}

void netd_detach(uint32_t index)
{
	client.socks[index] = NULL;
}

struct inet_sock *netd_sock(uint32_t index)
{
	return index < NET_SOCKS_MAX ? client.socks[index] : NULL;
}

struct net_msg *netd_msg(enum net_msg_kind kind)
{
	struct net_msg *m = &client.out_msg;

	memset(m, 0, offsetof(struct net_msg, opts));
	m->text[0] = 0;
	m->data = NULL;
	m->data_size = 0;
	m->kind = (uint8_t)kind;
	m->sock = m->peer = m->pair = NET_SOCK_NONE;
	return m;
}

static void wake_netd(void)
{
	struct net_header *h = netd_header();

	client.quiet = false;
	/* Once is enough: until it runs and sleeps again, what comes is found. */
	if (!h || (__atomic_load_n(&h->netd_sleeps, __ATOMIC_SEQ_CST) &&
		   __atomic_exchange_n(&h->netd_sleeps, 0, __ATOMIC_SEQ_CST)))
		send(client.wake_fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void netd_kick(uint32_t index, bool urgent)
{
	if (!client.arena)
		return;
	net_event_put(&client.out, &net_ctl(client.arena, index)->kick_pending, index);
	if (urgent)
		wake_netd();
	else
		client.quiet = true;
}

static void unsent_drop(struct unsent *u)
{
	list_del(&u->node);
	free(u);
	if (!--client.unsent_count)
		client.source.max_sleep_ns = 0;
}

/* netd says nothing when it has made room: looked at in each turn. */
static bool flush_unsent(void)
{
	bool any = false;

	while (!list_empty(&client.unsent)) {
		struct unsent *u = LIST_FIRST(&client.unsent, struct unsent, node);

		if (ring_send_quiet(&client.ring, u->data, u->size) == -EAGAIN)
			break;
		unsent_drop(u);
		client.quiet = any = true;
	}
	return any;
}

/* What netd has to hear of a socket even if it is late: without it the socket would be there for ever, or its
 * other end never hear of the end. */
static bool must_arrive(const struct net_msg *m)
{
	return m->kind == NET_CLOSE || m->kind == NET_SHUTDOWN || m->kind == NET_ACCEPTED || m->kind == NET_NS ||
	       m->kind == NET_NLGROUPS || (m->kind == NET_PAIR && m->flags);
}

static int put_off(const struct net_msg *m, size_t size)
{
	struct unsent *u = NULL;

	if (m->req || (client.unsent_count >= UNSENT_SOFT && !must_arrive(m)))
		return -EAGAIN;
	if (client.unsent_count < UNSENT_MAX)
		u = malloc(sizeof(*u) + size);
	if (!u) {
		client.deaf |= must_arrive(m);
		return -EAGAIN;
	}
	if (!client.unsent_count++)
		log_warn("netd does not read its messages");
	u->size = (uint32_t)size;
	memcpy(u->data, client.buf, size);
	list_add_tail(&client.unsent, &u->node);
	client.source.max_sleep_ns = UNSENT_POLL_NS;
	return 0;
}

int netd_tell(const struct net_msg *m, bool urgent)
{
	long n = net_msg_encode(m, client.buf, sizeof(client.buf));
	int ret;

	if (!client.arena)
		return -ENETDOWN;
	if (n < 0)
		return (int)n;
	flush_unsent();
	ret = list_empty(&client.unsent) ? ring_send_quiet(&client.ring, client.buf, (size_t)n) : -EAGAIN;
	if (ret == -EAGAIN) {
		ret = put_off(m, (size_t)n);
		urgent = true;
	}
	if (urgent || ret)
		wake_netd();
	else
		client.quiet = true;
	return ret;
}

/* ---- requests ----------------------------------------------------------------------------------- */

static void wait_over(void)
{
	if (!--client.awaited)
		client.source.spin_ns = 0;
}

static void call_done(struct call *c, int error, const struct net_msg *m)
{
	list_del(&c->node);
	if (c->hook)
		c->hook(c->hook_arg, error ? NULL : m);
	client.under_way--;
	if (!c->abandoned)
		wait_over();
	c->error = error;
	c->done = true;
	if (c->abandoned) {
		netd_reply_done(&c->reply);
		free(c);
	} else {
		waitq_wake_all(&c->wait);
	}
}

void netd_reply_done(struct netd_reply *r)
{
	free(r->data);
	r->data = NULL;
}

int netd_ready(void)
{
	int ret;

	if (client.arena)
		return 0;
	if (!sched_current())
		return -ENETDOWN;
	ret = WAIT_EVENT_FLAGS(&client.up, client.arena, WAIT_KILLABLE, clock_mono_ns() + SUCCESSOR_NS);
	return !ret ? 0 : ret == -ETIMEDOUT ? -ENETDOWN : -EINTR;
}

/* A second at a time: a sandbox that was frozen together with netd has lost one of them and not all. */
static int await(struct call *c)
{
	int err = 0;

	for (unsigned s = 0; s < netd_patience_s; s++) {
		err = WAIT_EVENT_FLAGS(&c->wait, c->done, WAIT_KILLABLE, clock_mono_ns() + NSEC_PER_SEC);
		if (err != -ETIMEDOUT)
			break;
	}
	return err;
}

int netd_call(struct net_msg *m, struct netd_reply *ret)
{
	return netd_call_hook(m, NULL, NULL, ret);
}

int netd_call_hook(struct net_msg *m, void (*hook)(void *arg, const struct net_msg *reply), void *arg,
		   struct netd_reply *ret)
{
	struct call *c = calloc(1, sizeof(*c));
	int err = !c ? -ENOMEM : client.under_way >= CALLS_MAX ? -ENOBUFS : 0;

	if (!err) {
		c->req = m->req = ++client.next_req ? client.next_req : ++client.next_req;
		waitq_init(&c->wait);
		err = netd_tell(m, true);
	}
	if (err) {
		if (hook)
			hook(arg, NULL);
		free(c);
		return err == -EAGAIN ? -ENOBUFS : err;
	}
	c->hook = hook;
	c->hook_arg = arg;
	list_add_tail(&client.calls, &c->node);
	client.under_way++;
	client.awaited++;
	client.source.spin_ns = sched_contended() ? 0 : SPIN_NS;
	err = await(c);
	if (err) {
		c->abandoned = true;
		wait_over();
		if (err == -ETIMEDOUT)
			log_warn("netd does not answer");
		return err == -ETIMEDOUT ? -ENETDOWN : -EINTR;
	}
	err = c->error;
	if (ret && !err)
		*ret = c->reply;
	else
		netd_reply_done(&c->reply);
	free(c);
	return err;
}

/* Numbers above these mean something to the dispatcher: a call begun anew, say. */
static int netd_error(int error)
{
	return error > 0 || error < -EHWPOISON ? -EPROTO : error;
}

static void on_reply(const struct net_msg *m)
{
	struct call *c;

	LIST_FOR_EACH(c, &client.calls, node) {
		if (c->req != m->req)
			continue;
		c->reply = (struct netd_reply){.sock = m->sock,
					       .peer = m->peer,
					       .flags = m->flags,
					       .value = m->value,
					       .local = m->local,
					       .remote = m->remote,
					       .tx = m->tx,
					       .rx = m->rx};
		if (m->data_size && !c->abandoned) {
			c->reply.data = malloc(m->data_size);
			if (c->reply.data) {
				memcpy(c->reply.data, m->data, m->data_size);
				c->reply.data_size = m->data_size;
			}
		}
		call_done(c, netd_error(m->error), m);
		return;
	}
}

/* ---- netd's word -------------------------------------------------------------------------------- */

static int map_arena(int fd, uint64_t size)
{
	struct stat st;
	int seals;
	void *p;

	if (fstat(fd, &st) < 0)
		return -errno;
	/* Without the seal netd could shrink the file and make our access fault; what has no seals is no memory file. */
	seals = fcntl(fd, F_GET_SEALS);
	if (size != NET_ARENA_SIZE || (uint64_t)st.st_size != size || seals < 0 || !(seals & F_SEAL_SHRINK))
		return -EINVAL;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	client.arena = p;
	client.out = (struct net_event_end){.ring = &net_header(p)->to_netd};
	client.in = (struct net_event_end){.ring = &net_header(p)->to_sysd};
	return 0;
}

static void on_up(const struct net_msg *m)
{
	int fd, wake_fd, ret;

	if (client.arena)
		return;
	fd = fdpass_inbox_take(&client.inbox, m->ticket, 0);
	wake_fd = fdpass_inbox_take(&client.inbox, m->ticket2, 0);
	ret = fd < 0 ? fd : wake_fd < 0 ? wake_fd : map_arena(fd, m->value); /* last: with the arena, netd is there */
	close_fd(&fd);
	if (ret) {
		log_error("cannot use netd's memory: %s", strerror(-ret));
		close_fd(&wake_fd);
		return;
	}
	client.wake_fd = wake_fd;
	client.epoch++;
	waitq_wake_all(&client.up);
	if (netlink_netd_up && client.epoch > 1 && sched_spawn(netlink_netd_up, NULL))
		log_warn("listeners of netlink groups hear no more");
	inet_revive();
}

static void on_message(const struct net_msg *m)
{
	switch (m->kind) {
	case NET_UP: on_up(m); break;
	case NET_REPLY: on_reply(m); break;
	case NET_CHILD: inet_child(m); break;
	case NET_ERROR: inet_error_entry(m); break;
	case NET_NLMSG:
		if (netlink_input)
			netlink_input(m->ns, m->sock, (uint32_t)m->value, m->data, m->data_size);
		break;
	default: log_warn("netd sent message %u", m->kind); break;
	}
}

static void lose_netd(void)
{
	uint8_t *arena = client.arena;

	if (!client.open)
		return;
	client.open = false;
	client.arena = NULL; /* first: whoever is woken must find no netd */
	for (uint32_t i = 0; i < NET_SOCKS_MAX; i++) {
		struct inet_sock *k = client.socks[i];

		client.socks[i] = NULL;
		if (k)
			inet_sock_dead(k);
	}
	while (!list_empty(&client.calls))
		call_done(LIST_FIRST(&client.calls, struct call, node), -ECONNRESET, NULL);
	while (!list_empty(&client.unsent))
		unsent_drop(LIST_FIRST(&client.unsent, struct unsent, node));
	client.deaf = false;
	if (arena)
		munmap(arena, NET_ARENA_SIZE);
	host_watch_remove(&client.end);
	ring_close(&client.ring);
	fdpass_inbox_done(&client.inbox);
	close_fd(&client.wake_fd);
	close_fd(&client.pass_fd);
}

static void on_end(void *arg, uint32_t revents)
{
	(void)arg;
	if (revents & (EPOLLHUP | EPOLLERR)) {
		log_error("netd has ended: its connections are reset");
		lose_netd();
	}
}

/* *left: how many more messages this turn takes; a netd that sends without end must not keep the guest waiting. */
static bool receive_messages(unsigned *left)
{
	static uint8_t buf[NET_MSG_MAX];
	bool any = false;

	while (client.open && *left) {
		ssize_t n = ring_recv(&client.ring, buf, sizeof(buf));

		if (n == -EAGAIN)
			break;
		any = true;
		--*left;
		if (n < 0 || net_msg_decode(buf, (size_t)n, &client.in_msg) < 0) {
			log_error("netd's ring is broken");
			lose_netd();
			break;
		}
		on_message(&client.in_msg);
	}
	return any;
}

static bool source_poll(struct sched_source *src)
{
	unsigned left = MESSAGES_A_TURN;
	bool any = false;
	int64_t index;

	(void)src;
	if (client.open && client.deaf) {
		log_error("netd does not read: its connections are reset");
		lose_netd();
	}
	if (!client.open)
		return false;
	any = flush_unsent();
	any |= receive_messages(&left);
	for (unsigned n = 0; client.arena && left && n < NET_SOCKS_MAX; n++) {
		index = net_event_get(&client.in);
		if (index < 0)
			break;
		any = true;
		/* A message that netd sent before this news comes first. */
		receive_messages(&left);
		if (!client.arena || index >= NET_SOCKS_MAX)
			break;
		net_event_clear(&net_ctl(client.arena, (uint32_t)index)->event_pending);
		if (client.socks[index])
			inet_sock_event(client.socks[index]);
	}
	return any;
}

static bool source_before_sleep(struct sched_source *src)
{
	struct net_header *h = netd_header();

	src->futex = NULL;
	if (!client.open)
		return true;
	if (client.quiet)
		wake_netd();
	if (!h) /* NET_UP has not come: the ring's own word */
		return ring_prepare_sleep(&client.ring, &src->futex, &src->futex_val);
	src->futex_val = __atomic_load_n(&h->bell, __ATOMIC_SEQ_CST);
	__atomic_store_n(&h->sysd_sleeps, 1, __ATOMIC_SEQ_CST);
	if (ring_readable(&client.ring) || net_event_any(&client.in)) {
		__atomic_store_n(&h->sysd_sleeps, 0, __ATOMIC_RELAXED);
		return false;
	}
	src->futex = &h->bell;
	return true;
}

static void source_after_sleep(struct sched_source *src)
{
	struct net_header *h = netd_header();

	(void)src;
	if (h)
		__atomic_store_n(&h->sysd_sleeps, 0, __ATOMIC_RELAXED);
	else if (client.open)
		ring_finish_sleep(&client.ring);
}

int netd_connect(int ring_fd, int pass_fd)
{
	int ret;

	if (!client.source_added) {
		list_init(&client.calls);
		list_init(&client.unsent);
		waitq_init(&client.up);
		client.source = (struct sched_source){.name = "netd",
						      .poll = source_poll,
						      .before_sleep = source_before_sleep,
						      .after_sleep = source_after_sleep};
	}
	ret = ring_open(&client.ring, ring_fd, SBX_RING_SIDE_SYSD);
	if (ret)
		return ret;
	close(ring_fd);
	fdpass_inbox_init(&client.inbox, pass_fd);
	client.pass_fd = pass_fd;
	ret = host_watch_add(&client.end, pass_fd, on_end, NULL);
	if (!ret)
		ret = host_watch_arm(&client.end, 0);
	if (ret)
		return ret;
	client.open = true;
	if (!client.source_added)
		sched_add_source(&client.source);
	client.source_added = true;
	return 0;
}

int netd_reconnect(int ring_fd, int pass_fd)
{
	lose_netd();
	return netd_connect(ring_fd, pass_fd);
}

/* ---- namespaces --------------------------------------------------------------------------------- */

/* net_ns.netd holds netd's number with the life of netd in which it was made. */
struct ns_id {
	uint32_t id, epoch;
};

int netd_ns(struct net_ns *ns, uint32_t *ret)
{
	struct ns_id *n = ns->netd;
	struct net_msg *m;
	int err = netd_ready();

	if (err)
		return err;
	if (!n) {
		n = calloc(1, sizeof(*n));
		if (!n)
			return -ENOMEM;
		n->id = ns->initial ? 1 : ++client.next_ns; /* netd has the sandbox's own from the start */
		ns->netd = n;
	}
	if (n->id != 1 && n->epoch != client.epoch) {
		m = netd_msg(NET_NS);
		m->ns = n->id;
		m->flags = NET_NS_NEW;
		n->epoch = client.epoch;
		err = netd_call(m, NULL);
		if (err && err != -EEXIST)
			return err;
	}
	*ret = n->id;
	return 0;
}

void netd_ns_gone(struct net_ns *ns)
{
	struct ns_id *n = STEAL_PTR(ns->netd);
	struct net_msg *m;

	if (n && n->id != 1 && n->epoch == client.epoch && client.arena) {
		m = netd_msg(NET_NS);
		m->ns = n->id;
		m->flags = NET_NS_FREE;
		netd_tell(m, false);
	}
	free(n);
}
