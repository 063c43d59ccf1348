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
#include "services/sysd/platform/slots.h"
#include "services/sysd/platform/vdso.h"
#include "services/sysd/task/task.h"

struct memd_info memd_info;

#define FORK_TIMEOUT_NS (12 * NSEC_PER_SEC)
#define BLANK_TIMEOUT_NS (10 * NSEC_PER_SEC)
#define SLOTS_TIMEOUT_NS (10 * NSEC_PER_SEC)
#define END_PATIENCE_NS 20000000ull

/* A child that memd has not met yet. */
struct fork_order {
	struct list node;
	uint32_t cookie;
	bool abandoned; /* end it when it comes */
	struct hprocess *hp;
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
	struct list ending; /* hprocess.end_node: told to end, and memd has not reaped them yet */
	struct ktimer end_timer;
	struct waitq blank_wait, slots_wait, start_wait;
	unsigned slots_arrived, slots_refused;
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

static void kill_id(uint64_t id)
{
	send_loud(&(struct memd_msg){.kind = MEMD_KILL, .id = id});
}

static void give_slots(uint64_t id, bool for_blank)
{
	send_quiet(&(struct memd_msg){.kind = MEMD_GIVE, .object = id, .what = for_blank});
}

/* Those who were told to end by themselves and did not. */
static void patience_ended(struct ktimer *kt)
{
	struct hprocess *hp;

	LIST_FOR_EACH(hp, &client.ending, end_node)
		kill_id(hp->id);
	if (!list_empty(&client.ending))
		ktimer_start(&client.end_timer, clock_mono_ns() + END_PATIENCE_NS);
}

static int new_set(const struct memd_msg *msg, struct slots **ret_set)
{
	int fd = take_fd(msg->ticket);

	return fd < 0 ? fd : slots_new(msg->object, fd, ret_set);
}

static void on_slots(const struct memd_msg *msg)
{
	struct slots *set = NULL;

	if (!msg->object) {
		client.slots_refused++;
	} else if (!msg->ticket) {
		slots_put(slots_take_given(msg->object), false, 0, 0);
	} else {
		int ret = new_set(msg, &set);

		if (ret)
			log_error("cannot take over slots: %s", strerror(-ret));
		else
			slots_add(set);
	}
	client.slots_arrived++;
	waitq_wake_all(&client.slots_wait);
}

/* sysd's interest in a process ends with memd's word of its death. */
static int take_blank_process(const struct memd_msg *msg, struct hprocess **ret_hp)
{
	struct slots *set = NULL;
	int ret = 0;

	if (msg->ticket)
		ret = new_set(msg, &set);
	else
		set = slots_take_given(msg->object);
	if (!ret && !set)
		ret = -EPROTO;
	if (!ret)
		ret = hprocess_new((pid_t)msg->pid, msg->id, set, ret_hp);
	if (ret && set)
		slots_put(set, false, 0, 0);
	return ret;
}

static void on_blank(const struct memd_msg *msg)
{
	struct blank *b = malloc(sizeof(*b));
	int ret = b ? take_blank_process(msg, &b->hp) : -ENOMEM;

	if (ret) {
		log_error("cannot take over a blank process: %s", strerror(-ret));
		free(b);
		kill_id(msg->id);
		return;
	}
	hprocess_ref(b->hp);
	list_add_tail(&client.blanks, &b->node);
	waitq_wake_all(&client.blank_wait);
}

static void on_forked(const struct memd_msg *msg)
{
	struct fork_order *f, *found = NULL;

	LIST_FOR_EACH(f, &client.forks, node)
		if (f->cookie == msg->cookie)
			found = f;
	if (!found) {
		if (!msg->error)
			kill_id(msg->id);
		return;
	}
	struct hprocess *hp = found->hp;
	bool abandoned = found->abandoned;

	list_del(&found->node);
	free(found);
	if (msg->error) {
		/* -ECANCELED answers our own word. */
		if (msg->error != -ECANCELED)
			log_debug("memd refused a fork: %s", strerror(-msg->error));
		hprocess_mark_dead(hp);
		waitq_wake_all(&client.start_wait);
		hprocess_unref(hp);
		return;
	}
	hp->host_pid = (pid_t)msg->pid;
	hp->id = msg->id;
	if (abandoned)
		kill_id(hp->id);
	hprocess_met(hp);
	task_host_met(hp);
	waitq_wake_all(&client.start_wait);
}

static void on_died(const struct memd_msg *msg)
{
	struct hprocess *hp = hprocess_find(msg->id);
	struct blank *b, *tmp;
	int status = (int)msg->value, signo = WIFSIGNALED(status) ? WTERMSIG(status) : SIGKILL;

	if (!hp) {
		if (msg->object)
			give_slots(msg->object, false);
		return;
	}
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
	list_del(&hp->end_node);
	if (list_empty(&client.ending))
		ktimer_cancel(&client.end_timer);
	waitq_wake_all(&client.start_wait);
	hp->slots_free = msg->object == slots_id(hp->set);
	hp->slots_size = msg->value2;
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
	case MEMD_SLOTS: on_slots(msg); break;
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
	list_init(&client.ending);
	ktimer_init(&client.end_timer, patience_ended);
	waitq_init(&client.blank_wait);
	waitq_init(&client.slots_wait);
	waitq_init(&client.start_wait);
	slots_init(give_slots);
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

static int take_slots(struct slots **ret_set)
{
	uint64_t deadline = clock_mono_ns() + SLOTS_TIMEOUT_NS;
	unsigned refused = client.slots_refused;
	int ret = 0;

	while (!(*ret_set = slots_take())) {
		unsigned arrived = client.slots_arrived;

		if (ret || client.slots_refused != refused)
			return -ENOMEM;
		/* Again when another fork was quicker. */
		send_loud(&(struct memd_msg){.kind = MEMD_WANT, .value = 1});
		ret = WAIT_EVENT_FLAGS(&client.slots_wait, client.slots_arrived != arrived, 0, deadline);
	}
	return 0;
}

static int order_fork(struct hprocess *parent, struct fork_order *f)
{
	static uint32_t pool[32];
	static unsigned left;

	do {
		if (!left && getrandom(pool, sizeof(pool), 0) != sizeof(pool))
			return -EAGAIN;
		left = left ? left : ARRAY_SIZE(pool);
		f->cookie = pool[--left];
	} while (!f->cookie);
	return send_patient(&(struct memd_msg){.kind = MEMD_FORK,
					       .id = parent->id,
					       .cookie = f->cookie,
					       .object = slots_id(f->hp->set)});
}

int memd_fork_begin(struct hprocess *parent, struct hprocess **ret_hp, uint32_t *ret_cookie)
{
	struct fork_order *f = calloc(1, sizeof(*f));
	struct slots *set;
	int ret;

	if (!f)
		return -ENOMEM;
	ret = take_slots(&set);
	if (!ret) {
		ret = hprocess_new(0, 0, set, &f->hp);
		if (ret)
			slots_add(set);
	}
	if (ret) {
		free(f);
		return ret;
	}
	list_add_tail(&client.forks, &f->node);
	ret = order_fork(parent, f);
	if (ret) {
		list_del(&f->node);
		hprocess_unref(f->hp);
		free(f);
		return ret == -ENOMEM ? ret : -EAGAIN;
	}
	*ret_hp = hprocess_ref(f->hp);
	*ret_cookie = f->cookie;
	return 0;
}

static void hear_of(const struct hprocess *hp)
{
	struct fork_order *f;

	LIST_FOR_EACH(f, &client.forks, node)
		if (f->hp == hp)
			send_loud(&(struct memd_msg){.kind = MEMD_HEAR, .cookie = f->cookie});
}

int memd_wait_started(struct hprocess *hp)
{
	int ret = 0;

	if (hp->id)
		return hp->dead ? -ESRCH : 0;
	if (!sched_current())
		return -ESRCH;
	hprocess_ref(hp);
	/* Mostly it stands in the ring; if it comes later, it comes quietly. */
	if (ring_readable(&client.ring))
		(void)WAIT_EVENT_FLAGS(&client.start_wait, hp->id || hp->dead, 0, clock_mono_ns() + 1000000);
	if (!hp->id && !hp->dead) {
		hear_of(hp);
		ret = WAIT_EVENT_FLAGS(&client.start_wait, hp->id || hp->dead, 0, clock_mono_ns() + FORK_TIMEOUT_NS);
	}
	if (!ret && hp->dead)
		ret = -ESRCH;
	hprocess_unref(hp);
	return ret ? -ESRCH : 0;
}

/* memd answers each order once: this one with -ECANCELED, or with a child that we end. */
static void cancel_fork(struct hprocess *hp)
{
	struct fork_order *f;

	LIST_FOR_EACH(f, &client.forks, node)
		if (f->hp == hp && !f->abandoned) {
			f->abandoned = true;
			send_loud(&(struct memd_msg){.kind = MEMD_CANCEL, .cookie = f->cookie});
		}
}

void memd_kill(struct hprocess *hp)
{
	if (hp->dead)
		return;
	if (!hp->id) {
		cancel_fork(hp);
	} else if (!hp->leaving) {
		kill_id(hp->id);
	} else {
		/* memd hears of it when the end of the process wakes it. */
		if (list_empty(&hp->end_node))
			list_add_tail(&client.ending, &hp->end_node);
		if (client.end_timer.heap_index < 0)
			ktimer_start(&client.end_timer, clock_mono_ns() + END_PATIENCE_NS);
		send_quiet(&(struct memd_msg){.kind = MEMD_KILL, .id = hp->id, .what = 1});
	}
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
	int ret = memd_wait_started(hp);

	if (ret)
		return ret;
	if (client.proc_fd >= 0)
		return open_here(hp, what);
	return ask(&(struct memd_msg){.kind = MEMD_OPEN, .id = hp->id, .what = what});
}

int memd_set_limit(struct hprocess *hp, unsigned resource, uint64_t soft, uint64_t hard, bool wait)
{
	struct memd_msg msg = {.kind = MEMD_LIMIT, .what = resource, .value = soft, .value2 = hard};

	if (wait && memd_wait_started(hp))
		return -ESRCH;
	msg.id = hp->id;
	return wait ? ask(&msg) : send_quiet(&msg);
}
