/* See memd_client.h. memd's messages are handled on the executor's own stack, between strands. */
#include "services/sysd/mm/memd_client.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <sys/wait.h>
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
#include "services/sysd/mm/fdcache.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/mmap_req.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/platform/vdso.h"
#include "services/sysd/task/task.h"

struct memd_info memd_info;

#define FORK_TIMEOUT_NS (12 * NSEC_PER_SEC)
#define BLANK_TIMEOUT_NS (10 * NSEC_PER_SEC)

struct memd_fork {
	struct list node;
	uint32_t cookie;
	bool done;
	bool abandoned; /* nobody waits: end the child when it comes */
	int error;
	struct hprocess *hp;
	struct waitq wait;
};
struct open_req {
	struct list node;
	uint32_t req;
	bool done;
	int result; /* descriptor or -errno */
	struct waitq wait;
};
struct blank {
	struct list node;
	struct hprocess *hp;
};

static struct {
	struct ring ring;
	struct fdpass_inbox inbox;
	int pass_sock, wake_fd, proc_fd;
	bool broken;
	uint64_t next_ticket;
	uint32_t next_req;
	struct list forks, opens, blanks;
	struct waitq blank_wait;
	struct sched_source source;
} client = {.pass_sock = -1, .wake_fd = -1, .proc_fd = -1};

static int send_quiet(const struct memd_msg *msg)
{
	uint8_t buf[MEMD_MSG_MAX];
	long n = memd_msg_encode(msg, buf, sizeof(buf));

	if (client.broken)
		return -EPIPE;
	return n < 0 ? (int)n : ring_send_quiet(&client.ring, buf, (size_t)n);
}

static void ring_bell(void)
{
	uint64_t one = 1;

	(void)!write(client.wake_fd, &one, sizeof(one));
}

static int send_loud(const struct memd_msg *msg)
{
	int ret = send_quiet(msg);

	ring_bell();
	return ret;
}

/* Waits a moment for memd to catch up: -EAGAIN of a full ring or socket. */
static void let_memd_work(void)
{
	struct waitq q;

	ring_bell();
	if (!sched_current())
		return;
	waitq_init(&q);
	(void)WAIT_EVENT_FLAGS(&q, false, 0, clock_mono_ns() + 1000000);
}

static int send_patient(const struct memd_msg *msg)
{
	int ret;

	for (int tries = 0; (ret = send_quiet(msg)) == -EAGAIN && tries < 2000; tries++)
		let_memd_work();
	return ret;
}

static uint64_t pass_fd(int fd)
{
	uint64_t ticket = ++client.next_ticket;
	int ret;

	for (int tries = 0; (ret = fdpass_send(client.pass_sock, ticket, fd)) == -EAGAIN && tries < 2000;
	     tries++)
		let_memd_work();
	if (ret) {
		log_error("cannot pass a descriptor to memd: %s", strerror(-ret));
		return 0;
	}
	return ticket;
}

static int take_fd(uint64_t ticket)
{
	/* It was sent before its message: it is here. */
	return fdpass_inbox_take(&client.inbox, ticket, 100);
}

/* ---- what memd says ------------------------------------------------------------------------*/

static int take_process(const struct memd_msg *msg, struct hprocess **ret_hp)
{
	int fd = take_fd(msg->ticket);

	return fd < 0 ? fd : hprocess_new((pid_t)msg->pid, msg->id, fd, ret_hp);
}

static void kill_id(uint64_t id)
{
	send_loud(&(struct memd_msg){.kind = MEMD_KILL, .id = id});
}

static void on_blank(const struct memd_msg *msg)
{
	struct blank *b = malloc(sizeof(*b));
	int ret = b ? take_process(msg, &b->hp) : -ENOMEM;

	if (ret) {
		log_error("cannot take over a blank process: %s", strerror(-ret));
		free(b);
		kill_id(msg->id);
		return;
	}
	list_add_tail(&client.blanks, &b->node);
	waitq_wake_all(&client.blank_wait);
}

static void free_fork(struct memd_fork *f)
{
	list_del(&f->node);
	free(f);
}

static void on_forked(const struct memd_msg *msg)
{
	struct memd_fork *f, *found = NULL;

	LIST_FOR_EACH(f, &client.forks, node)
		if (f->cookie == msg->cookie && !f->done)
			found = f;
	if (!found) {
		if (!msg->error) {
			int fd = take_fd(msg->ticket);

			close_fd(&fd);
			kill_id(msg->id);
		}
		return;
	}
	found->error = msg->error ? msg->error : take_process(msg, &found->hp);
	found->done = true;
	if (found->error && !msg->error)
		kill_id(msg->id);
	if (found->abandoned) {
		if (found->hp) {
			memd_kill(found->hp);
			hprocess_unref(found->hp);
		}
		free_fork(found);
	} else {
		waitq_wake_all(&found->wait);
	}
}

static void on_died(const struct memd_msg *msg)
{
	struct hprocess *hp = hprocess_find(msg->id);
	struct blank *b, *tmp;
	int status = (int)msg->value, signo = WIFSIGNALED(status) ? WTERMSIG(status) : SIGKILL;

	if (!hp)
		return;
	hprocess_ref(hp);
	LIST_FOR_EACH_SAFE(b, tmp, &client.blanks, node)
		if (b->hp == hp) {
			list_del(&b->node);
			hprocess_unref(hp);
			free(b);
		}
	hprocess_mark_dead(hp);
	if (hp->mm) {
		/* Other signals are the guest's own doing, and memd says so within a bound. */
		if (msg->what && signo == SIGKILL)
			log_warn("a guest process was ended by the host (out of memory?)");
		task_host_died(hp->mm, signo);
	}
	hprocess_unref(hp);
}

static void on_opened(const struct memd_msg *msg)
{
	struct open_req *o;
	int fd = msg->error ? msg->error : msg->kind == MEMD_OPENED ? take_fd(msg->ticket) : 0;

	LIST_FOR_EACH(o, &client.opens, node)
		if (o->req == msg->req && !o->done) {
			o->done = true;
			o->result = fd;
			waitq_wake_all(&o->wait);
			return;
		}
	if (msg->kind == MEMD_OPENED && fd >= 0)
		close(fd);
}

static void on_message(const struct memd_msg *msg)
{
	switch (msg->kind) {
	case MEMD_BLANK: on_blank(msg); break;
	case MEMD_FORKED: on_forked(msg); break;
	case MEMD_DIED: on_died(msg); break;
	case MEMD_OPENED:
	case MEMD_DONE: on_opened(msg); break;
	default: log_warn("memd sent message %u", msg->kind); break;
	}
}

static bool client_poll(struct sched_source *src)
{
	uint8_t buf[MEMD_MSG_MAX];
	struct memd_msg msg;
	bool any = false;
	ssize_t n;

	if (client.broken || !ring_readable(&client.ring))
		return false;
	while ((n = ring_recv(&client.ring, buf, sizeof(buf))) != -EAGAIN) {
		if (n < 0 || memd_msg_decode(buf, (size_t)n, &msg) < 0) {
			log_error("memd's ring is broken");
			client.broken = true;
			return true;
		}
		on_message(&msg);
		any = true;
	}
	return any;
}

static bool client_before_sleep(struct sched_source *src)
{
	if (client.broken) {
		src->futex = NULL;
		return true;
	}
	return ring_prepare_sleep(&client.ring, &src->futex, &src->futex_val);
}

static void client_after_sleep(struct sched_source *src)
{
	ring_finish_sleep(&client.ring);
}

/* ---- start ---------------------------------------------------------------------------------*/

int memd_client_start(int ring_fd, int pass_sock, unsigned pool_size)
{
	uint8_t buf[MEMD_MSG_MAX];
	struct memd_msg msg;
	int ret;

	list_init(&client.forks);
	list_init(&client.opens);
	list_init(&client.blanks);
	waitq_init(&client.blank_wait);
	client.pass_sock = pass_sock;
	fdpass_inbox_init(&client.inbox, pass_sock);
	ret = ring_open(&client.ring, ring_fd, SBX_RING_SIDE_SYSD);
	if (ret)
		return ret;

	struct memd_msg start = {.kind = MEMD_START, .value = pool_size};

	start.ticket = pass_fd(platform_ctl_fd());
	start.ticket2 = pass_fd(platform_bell_fd());
	if (!start.ticket || !start.ticket2)
		return -EIO;
	long n = memd_msg_encode(&start, buf, sizeof(buf));

	ret = n < 0 ? (int)n : ring_send(&client.ring, buf, (size_t)n);
	if (ret)
		return ret;
	ret = ring_wait(&client.ring, 0, 30 * (int64_t)NSEC_PER_SEC);
	if (ret)
		return ret;
	n = ring_recv(&client.ring, buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	if (memd_msg_decode(buf, (size_t)n, &msg) < 0 || msg.kind != MEMD_UP)
		return -EPROTO;
	client.wake_fd = fdpass_inbox_take(&client.inbox, msg.ticket, 5000);
	if (client.wake_fd < 0)
		return client.wake_fd;
	memd_info = (struct memd_info){msg.args[0], msg.args[1], msg.args[2], msg.args[3]};
	if (memd_info.base % SBX_R_ALIGN)
		return -EPROTO;
	platform_ctl()->base = memd_info.base;
	platform_ctl()->vdso_clock_gettime = vdso_function(memd_info.vdso, "__vdso_clock_gettime");
	struct statfs sfs;

	if (fstatfs(SYSD_FD_PROC, &sfs) == 0 && sfs.f_type == PROC_SUPER_MAGIC)
		client.proc_fd = SYSD_FD_PROC;
	client.source = (struct sched_source){.name = "memd",
					      .poll = client_poll,
					      .before_sleep = client_before_sleep,
					      .after_sleep = client_after_sleep};
	sched_add_source(&client.source);
	return 0;
}

/* ---- requests ------------------------------------------------------------------------------*/

int memd_take_blank(struct hprocess **ret_hp)
{
	int ret = WAIT_EVENT_FLAGS(&client.blank_wait, !list_empty(&client.blanks), 0,
				   clock_mono_ns() + BLANK_TIMEOUT_NS);

	if (ret) {
		log_error("memd has no blank process for a new program");
		return -EAGAIN;
	}
	struct blank *b = LIST_FIRST(&client.blanks, struct blank, node);

	*ret_hp = b->hp;
	list_del(&b->node);
	free(b);
	struct memd_msg msg = {.kind = MEMD_TAKEN, .id = (*ret_hp)->id};

	/* The image's mappings will wake memd; only an empty pool is urgent. */
	if (list_empty(&client.blanks))
		send_loud(&msg);
	else
		send_quiet(&msg);
	return 0;
}

int memd_order_map(struct hprocess *hp, const uint64_t args[6], int host_fd, uint64_t object_id,
		   bool writable)
{
	struct memd_msg msg = {.kind = MEMD_MAP, .id = hp->id, .object = object_id, .writable = writable};
	uint64_t evicted = 0;
	int ret;

	memcpy(msg.args, args, sizeof(msg.args));
	if (!object_id || !fdcache_use(object_id, &evicted)) {
		msg.ticket = pass_fd(host_fd);
		if (!msg.ticket) {
			if (object_id)
				fdcache_forget(object_id);
			return -EMFILE;
		}
	}
	if (evicted)
		send_patient(&(struct memd_msg){.kind = MEMD_FORGET, .object = evicted});
	ret = send_patient(&msg);
	if (ret && object_id)
		fdcache_forget(object_id);
	return ret;
}

uint64_t mmap_object_id_new(void)
{
	static uint64_t last;

	return ++last;
}

void mmap_object_forget(uint64_t object_id)
{
	if (object_id && fdcache_forget(object_id))
		send_quiet(&(struct memd_msg){.kind = MEMD_FORGET, .object = object_id});
}

int memd_fork_begin(struct hprocess *parent, struct memd_fork **ret_fork, uint32_t *ret_cookie)
{
	struct memd_fork *f = calloc(1, sizeof(*f));
	int ret;

	if (!f)
		return -ENOMEM;
	do {
		if (getrandom(&f->cookie, sizeof(f->cookie), 0) != sizeof(f->cookie)) {
			free(f);
			return -EAGAIN;
		}
	} while (!f->cookie);
	waitq_init(&f->wait);
	list_add_tail(&client.forks, &f->node);
	ret = send_patient(&(struct memd_msg){.kind = MEMD_FORK, .id = parent->id, .cookie = f->cookie});
	if (ret) {
		free_fork(f);
		return ret;
	}
	*ret_fork = f;
	*ret_cookie = f->cookie;
	return 0;
}

int memd_fork_wait(struct memd_fork *f, struct hprocess **ret_hp)
{
	int ret = WAIT_EVENT_FLAGS(&f->wait, f->done, 0, clock_mono_ns() + FORK_TIMEOUT_NS);

	if (ret) {
		f->abandoned = true;
		send_loud(&(struct memd_msg){.kind = MEMD_CANCEL, .cookie = f->cookie});
		return -EAGAIN;
	}
	ret = f->error;
	if (!ret)
		*ret_hp = f->hp;
	free_fork(f);
	return ret == -ESRCH || ret == -ETIMEDOUT ? -EAGAIN : ret;
}

void memd_fork_cancel(struct memd_fork *f)
{
	if (!f)
		return;
	send_quiet(&(struct memd_msg){.kind = MEMD_CANCEL, .cookie = f->cookie});
	if (f->done) {
		if (f->hp) {
			memd_kill(f->hp);
			hprocess_unref(f->hp);
		}
		free_fork(f);
	} else {
		/* An answer may be on its way; memd answers each order at most once. */
		f->abandoned = true;
	}
}

void memd_kill(struct hprocess *hp)
{
	if (!hp->dead)
		kill_id(hp->id);
}

/* Sends a request and sleeps until its answer: a descriptor, 0, or -errno. */
static int ask(struct memd_msg *msg)
{
	struct open_req *o = calloc(1, sizeof(*o));
	int ret;

	if (!o)
		return -ENOMEM;
	/* 0 means that nobody asks. */
	o->req = msg->req = ++client.next_req ? client.next_req : ++client.next_req;
	waitq_init(&o->wait);
	list_add_tail(&client.opens, &o->node);
	ret = send_loud(msg);
	if (!ret)
		ret = WAIT_EVENT_FLAGS(&o->wait, o->done, 0, clock_mono_ns() + 5 * NSEC_PER_SEC);
	if (!ret)
		ret = o->result;
	list_del(&o->node);
	free(o);
	return ret;
}

/* With /proc of the shared pid namespace at hand the file is opened here. hp lives, so its pid is its own:
 * memd reaps it, and says so, before the number can be another's; what is read of a process that died
 * meanwhile is an error or nothing. */
static int open_here(struct hprocess *hp, enum memd_open what)
{
	static const char *const names[] = {
		[MEMD_OPEN_MAPS] = "maps",
		[MEMD_OPEN_SMAPS] = "smaps",
		[MEMD_OPEN_STATUS] = "status",
		[MEMD_OPEN_STAT] = "stat",
	};
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "%d/%s", hp->host_pid, names[what]);
	fd = openat(client.proc_fd, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int memd_open(struct hprocess *hp, enum memd_open what)
{
	if (client.proc_fd >= 0)
		return hp->dead ? -ESRCH : open_here(hp, what);
	return ask(&(struct memd_msg){.kind = MEMD_OPEN, .id = hp->id, .what = what});
}

int memd_set_limit(struct hprocess *hp, unsigned resource, uint64_t soft, uint64_t hard, bool wait)
{
	struct memd_msg msg = {
		.kind = MEMD_LIMIT, .id = hp->id, .what = resource, .value = soft, .value2 = hard};

	return wait ? ask(&msg) : send_quiet(&msg);
}
