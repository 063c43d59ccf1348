/* The ring to fsd as the executor sees it; see client.h. fsd may be compromised: what it sends is
 * decoded with every check, and a descriptor counts only if it is a regular file's (or what was asked for looks
 * like a socket, or like inotify's). */
#include "services/sysd/fs/gofer/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <x86intrin.h>

#include "common/base/util.h"
#include "common/chan/ring.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/core/settle.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/core/ktimer.h"

#define SPIN_NS 40000
#define QUIET_MAX 32u /* requests that nobody waits for, before fsd is woken for them alone... */
#define UNWATCHED_MAX 256u
#define QUIET_US 1000u /* ...or time that the first of them has waited */

struct gofer_stats gofer_stats;

static struct ring ring;
static struct fdpass_inbox inbox;
static bool connected, source_added;
static uint32_t epoch, news_seen;
static uint64_t next_id = 1;
static struct list calls = LIST_INIT(calls);
static unsigned under_way, waited_for, quiet;
static uint64_t quiet_since; /* in ticks of the CPU's clock */
static uint8_t message[RING_MSG_MAX]; /* never in use across a sleep */
static uint64_t forgotten[FSD_FORGET_MAX];
static size_t forgotten_count;
static int32_t unwatched[UNWATCHED_MAX];
static size_t unwatched_count;

static bool source_poll(struct sched_source *src);
static bool source_before_sleep(struct sched_source *src);
static void source_after_sleep(struct sched_source *src);
static bool source_busy(struct sched_source *src);
static struct sched_source source = {
    .name = "fsd",
    .poll = source_poll,
    .before_sleep = source_before_sleep,
    .after_sleep = source_after_sleep,
    .busy = source_busy,
};

const struct gofer_stats *gofer_get_stats(void)
{
	return &gofer_stats;
}

uint32_t gofer_epoch(void)
{
	return epoch;
}

static void call_finish(struct gofer_call *c, int error)
{
	list_del(&c->node);
	c->done = true;
	c->error = error;
	under_way--;
	if (!c->quiet && !--waited_for)
		source.spin_ns = 0;
	if (c->on_reply)
		c->on_reply(c);
	else
		sched_wake(c->strand);
}

static void fail_all(int error)
{
	while (!list_empty(&calls))
		call_finish(LIST_FIRST(&calls, struct gofer_call, node), error);
}

static void lose_all(void)
{
	while (!list_empty(&calls)) {
		struct gofer_call *c = LIST_FIRST(&calls, struct gofer_call, node);

		call_finish(c, ring_was_taken(&ring, c->mark) ? -GOFER_LOST : -GOFER_UNREAD);
	}
}

static bool op_has_fd(const struct gofer_call *c)
{
	return c->op == FSD_OPEN || c->op == FSD_CREATE || c->op == FSD_TMPFILE ||
	       (c->op == FSD_WALK && (c->rep.flags & FSD_WALK_OPEN)) ||
	       c->op == FSD_CONNECT || (c->op == FSD_WATCH && (c->rep.flags & FSD_WATCH_FD));
}

static bool is_file(int fd, const struct stat *st)
{
	(void)fd;
	return S_ISREG(st->st_mode);
}

static bool is_socket(int fd, const struct stat *st)
{
	(void)fd;
	return S_ISSOCK(st->st_mode);
}

/* inotify's: an anonymous inode without a type. It must not make us wait. */
static bool is_events(int fd, const struct stat *st)
{
	return !(st->st_mode & S_IFMT) && fcntl(fd, F_GETFL) & O_NONBLOCK;
}

static int take_fd_if(uint64_t id, bool (*fits)(int fd, const struct stat *st), struct stat *ret_st)
{
	int fd = fdpass_inbox_take(&inbox, id, 0);

	if (fd >= 0 && (fstat(fd, ret_st) < 0 || !fits(fd, ret_st))) {
		close(fd);
		return -EIO;
	}
	return fd;
}

int gofer_take_fd(uint64_t id, struct stat *ret_st)
{
	return take_fd_if(id, is_file, ret_st);
}

static int take_fd(struct gofer_call *c)
{
	struct stat st;
	int fd = take_fd_if(c->id, c->op == FSD_WATCH ? is_events : c->op == FSD_CONNECT ? is_socket : is_file, &st);

	if (fd < 0)
		return c->op == FSD_CREATE && fd != -EIO ? 0 : -EIO;
	c->fd = fd;
	return 0;
}

static void call_reply(struct gofer_call *c, size_t size)
{
	int ret;

	c->msg = c->inline_msg;
	if (size > sizeof(c->inline_msg)) {
		c->msg = malloc(size);
		if (!c->msg) {
			c->msg = c->inline_msg;
			call_finish(c, -ENOMEM);
			return;
		}
	}
	memcpy(c->msg, message, size);
	c->msg_size = size;
	if (c->op == FSD_READDIR) {
		struct fsd_dir_reader r;

		ret = fsd_dir_open(&r, c->msg, size);
	} else {
		ret = fsd_reply_decode(&c->rep, c->msg, size);
		if (!ret && c->rep.op != c->op)
			ret = -EPROTO;
		if (!ret)
			ret = -(int)c->rep.err;
		if (!ret && op_has_fd(c))
			ret = take_fd(c);
	}
	call_finish(c, ret);
}

static bool source_poll(struct sched_source *src)
{
	bool any = false;

	if (unlikely(ring_news(&ring) != news_seen)) {
		news_seen = ring_news(&ring);
		doubt_all();
	}
	if (quiet && __rdtsc() - quiet_since > QUIET_US * sched_tsc_per_us())
		gofer_push();

	for (;;) {
		ssize_t n = ring_recv(&ring, message, sizeof(message));
		struct gofer_call *c, *found = NULL;
		uint32_t op;
		uint64_t id;

		if (n == -EAGAIN)
			return any;
		any = true;
		if (n < 0) {
			log_error("the ring to fsd is broken");
			sched_remove_source(&source);
			source_added = connected = false;
			fail_all(-EIO);
			return true;
		}
		if (fsd_peek(message, (size_t)n, &op, &id) < 0)
			continue;
		LIST_FOR_EACH(c, &calls, node) {
			if (c->id == id) {
				found = c;
				break;
			}
		}
		if (found)
			call_reply(found, (size_t)n);
	}
}

void gofer_push(void)
{
	if (quiet && connected)
		ring_wake(&ring);
	quiet = 0;
}

static bool source_before_sleep(struct sched_source *src)
{
	gofer_push();
	return ring_prepare_sleep(&ring, &src->futex, &src->futex_val);
}

static void source_after_sleep(struct sched_source *src)
{
	ring_finish_sleep(&ring);
}

static bool source_busy(struct sched_source *src)
{
	return under_way > 0;
}

static int connect_ring(int ring_fd, int pass_fd)
{
	int ret = ring_open(&ring, ring_fd, SBX_RING_SIDE_SYSD);

	if (ret < 0)
		return ret;
	fdpass_inbox_init(&inbox, pass_fd);
	connected = true;
	epoch++;
	news_seen = ring_news(&ring);
	forgotten_count = unwatched_count = 0;
	if (!source_added)
		sched_add_source(&source);
	source_added = true;
	return 0;
}

static const struct settle_ops settle_ops = {.pending = gofer_unsettled, .wait = gofer_settle};

int gofer_connect(int ring_fd, int pass_fd)
{
	gofer_fs_register();
	later_init();
	settle_set_ops(&settle_ops);
	return connect_ring(ring_fd, pass_fd);
}

int gofer_reconnect(int ring_fd, int pass_fd)
{
	int ret;

	lose_all();
	ring_close(&ring);
	close(inbox.sock);
	fdpass_inbox_done(&inbox);
	if (source_added)
		sched_remove_source(&source);
	source_added = connected = false;
	ret = connect_ring(ring_fd, pass_fd);
	close(ring_fd);
	if (ret < 0)
		close(pass_fd);
	log_info("fsd was started again: %s", ret < 0 ? strerror(-ret) : "connected");
	if (ret == 0) {
		later_replay();
		gofer_watch_reconnect();
		doubt_all(); /* nobody looked meanwhile */
	}
	return ret;
}

static void flush_forgotten(void)
{
	struct fsd_req q = {.op = FSD_FORGET, .nodes = forgotten, .node_count = forgotten_count};
	long n;

	if (!forgotten_count || !connected)
		return;
	n = fsd_req_encode(&q, message, sizeof(message));
	if (n > 0 && ring_send_quiet(&ring, message, (size_t)n) == 0)
		forgotten_count = 0;
}

void gofer_forget(uint64_t node)
{
	if (forgotten_count == FSD_FORGET_MAX)
		flush_forgotten();
	/* A full ring and a full list: fsd keeps the node, which costs it some memory. */
	if (forgotten_count < FSD_FORGET_MAX)
		forgotten[forgotten_count++] = node;
}

/* Before any request that may be given one of the numbers anew. */
static void flush_unwatched(void)
{
	while (unwatched_count && connected) {
		struct fsd_req q = {.op = FSD_UNWATCH, .cookie = (uint64_t)unwatched[unwatched_count - 1]};
		long n = fsd_req_encode(&q, message, sizeof(message));

		if (n < 0 || ring_send_quiet(&ring, message, (size_t)n) < 0)
			return;
		unwatched_count--;
	}
}

void gofer_send_unwatch(int32_t wd)
{
	if (unwatched_count == UNWATCHED_MAX)
		flush_unwatched();
	/* A full ring and a full list: the host goes on watching, and nobody listens. */
	if (unwatched_count < UNWATCHED_MAX)
		unwatched[unwatched_count++] = wd;
	flush_unwatched();
}

static void nap(void)
{
	struct waitq q;

	waitq_init(&q);
	WAIT_EVENT_FLAGS(&q, false, 0, clock_mono_ns() + 200000);
}

int gofer_send(struct gofer_call *c, struct fsd_req *q)
{
	long n;
	int ret;

	while (later_gate_closed(sched_current())) {
		if (c->on_reply)
			return -EAGAIN;
		later_wait_gate();
	}
	/* Before any request that may be given one of these nodes anew. */
	flush_forgotten();
	flush_unwatched();
	c->fd = -1;
	c->op = q->op;
	c->done = false;
	c->error = 0;
	c->msg = NULL;
	c->id = q->id = next_id++;
	for (;;) {
		if (!connected)
			return -EIO;
		n = fsd_req_encode(q, message, sizeof(message));
		if (n < 0)
			return (int)n;
		ret = ring_send_quiet(&ring, message, (size_t)n);
		if (ret != -EAGAIN)
			break;
		gofer_push();
		if (c->on_reply)
			return -EAGAIN;
		nap();
	}
	if (ret < 0)
		return ret;
	c->mark = ring.tail;
	list_add_tail(&calls, &c->node);
	under_way++;
	gofer_stats.requests++;
	/* What nobody waits for waits for company: waking fsd takes a CPU from somebody. */
	if (c->quiet && !quiet)
		quiet_since = __rdtsc();
	if (!c->quiet || ++quiet >= QUIET_MAX) {
		ring_wake(&ring);
		quiet = 0;
	}
	if (!c->quiet) {
		waited_for++;
		source.spin_ns = sched_contended() ? 0 : SPIN_NS;
	}
	return 0;
}

int gofer_call(struct gofer_call *c, struct fsd_req *q)
{
	int ret;

	c->on_reply = NULL;
	c->quiet = false;
	c->strand = sched_current();
	if (!c->strand) {
		c->fd = -1;
		c->msg = NULL;
		return -EDEADLK;
	}
	ret = gofer_send(c, q);
	if (ret < 0)
		return ret;
	while (!c->done)
		sched_park();
	return c->error;
}

int gofer_call_again(struct gofer_call *c, struct fsd_req *q)
{
	unsigned losses = 0;

	for (;;) {
		int ret = gofer_call(c, q);

		if (ret != -GOFER_LOST && ret != -GOFER_UNREAD)
			return ret;
		if (ret == -GOFER_LOST && losses++)
			return -EIO;
		gofer_call_done(c);
	}
}

void gofer_call_done(struct gofer_call *c)
{
	if (c->msg && c->msg != c->inline_msg)
		free(c->msg);
	c->msg = NULL;
	close_fd(&c->fd);
}
