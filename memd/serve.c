/* sysd's messages. sysd is trusted with the sandbox, not with memd: what it sends is checked like any
 * other input. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include "common/log/log.h"
#include "common/slot/stub.h"
#include "memd/memd.h"

static bool fd_is_writable(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || (flags & O_ACCMODE) != O_RDONLY;
}

static int do_map(struct memd *m, const struct memd_msg *msg)
{
	struct proc *p = proc_by_id(m, msg->id);
	CLEANUP_CLOSE int fd = -1;
	uint64_t at = msg->args[4];

	if (msg->ticket) {
		/* Taken even when the process is gone, so that it does not stay behind in the inbox. */
		fd = fdpass_inbox_take(&m->inbox, msg->ticket, 1000);
		if (fd < 0) {
			log_error("descriptor %llu of sysd did not arrive: %s",
				  (unsigned long long)msg->ticket, strerror(-fd));
			return fd;
		}
		if (msg->object) {
			int ret = object_add(m, msg->object, STEAL_FD(fd));

			if (ret)
				return ret;
		}
	}
	if (!p)
		return -ESRCH;
	if (at < MEMD_LEND_FD || at >= MEMD_LEND_FD_END || (msg->args[3] & MAP_ANONYMOUS))
		return -EINVAL;
	if (fd >= 0 && !msg->writable && fd_is_writable(fd)) {
		int ro = reopen_read_only(m, fd);

		if (ro < 0)
			return ro;
		close_fd(&fd);
		fd = ro;
	}
	return order_add_map(m, p, msg, STEAL_FD(fd));
}

static int do_fork(struct memd *m, const struct memd_msg *msg)
{
	struct proc *p = proc_by_id(m, msg->id);
	int ret = -ESRCH;

	if (p && p->kind != PROC_ZYGOTE) {
		struct slots *slots = slots_take_granted(m, msg->object);

		ret = slots ? order_add_fork(m, p, msg->cookie, false, slots) : -EINVAL;
		if (ret)
			slots_free(slots);
	}
	if (ret)
		memd_send(m, &(struct memd_msg){.kind = MEMD_FORKED, .cookie = msg->cookie, .error = ret});
	return ret;
}

static void do_open(struct memd *m, const struct memd_msg *msg)
{
	struct proc *p = proc_by_id(m, msg->id);
	CLEANUP_CLOSE int fd = p ? proc_open_file(m, p, msg->what) : -ESRCH;
	struct memd_msg reply = {.kind = MEMD_OPENED, .req = msg->req};

	if (fd >= 0) {
		reply.ticket = memd_pass_fd(m, fd);
		if (!reply.ticket)
			reply.error = -EAGAIN;
	} else {
		reply.error = fd;
	}
	memd_send(m, &reply);
}

static int do_limit(struct memd *m, const struct memd_msg *msg)
{
	struct proc *p = proc_by_id(m, msg->id);
	struct rlimit64 old, lim = {msg->value, msg->value2};

	if (!p)
		return -ESRCH;
	switch (msg->what) {
	case RLIMIT_AS:
	case RLIMIT_DATA:
	case RLIMIT_STACK:
	case RLIMIT_MEMLOCK:
		break;
	default:
		return -EINVAL;
	}
	/* The hard limit of the host process stays what memd gave it, so that the guest's root can raise
	 * its own again; it is the bound of all of them. */
	if (prlimit64(p->pid, msg->what, NULL, &old) < 0)
		return -errno;
	lim.rlim_cur = MIN(lim.rlim_cur, old.rlim_max);
	lim.rlim_max = old.rlim_max;
	return prlimit64(p->pid, msg->what, &lim, NULL) < 0 ? -errno : 0;
}

static void do_kill(struct memd *m, const struct memd_msg *msg)
{
	struct proc *p = proc_by_id(m, msg->id);

	if (!p || p->kind == PROC_ZYGOTE)
		return;
	p->kill_ordered = true;
	if (msg->what != 1)
		kill(p->pid, SIGKILL);
}

static void do_taken(struct memd *m, const struct memd_msg *msg)
{
	struct proc *p = proc_by_id(m, msg->id);

	if (!p || p->kind != PROC_BLANK)
		return;
	p->kind = PROC_GUEST;
	m->blank_count -= m->blank_count > 0;
	/* Not at once: the program that takes it starts now and wants the processor. */
	m->refill_at_ns = m->blank_count ? mono_ns() + 1000000ull : 1;
}

static void do_cancel(struct memd *m, const struct memd_msg *msg)
{
	struct fork_order *o = order_find_fork(m, msg->cookie);

	if (!o || o->blank || o->cancelled)
		return;
	/* Each fork order is answered once, this one so. */
	memd_send(m, &(struct memd_msg){.kind = MEMD_FORKED, .cookie = o->cookie, .error = -ECANCELED});
	if (o->cloned) {
		o->cancelled = true;
		return;
	}
	m->called_off[m->called_off_count++ % ARRAY_SIZE(m->called_off)] = o->cookie;
	order_free_fork(m, o);
}

static void do_give(struct memd *m, const struct memd_msg *msg)
{
	struct slots *s = slots_take_granted(m, msg->object);

	if (s && msg->what == 1)
		slots_give(m, s);
	else
		slots_free(s);
}

static void do_want(struct memd *m)
{
	int ret = slots_announce(m, false);

	if (ret)
		memd_send(m, &(struct memd_msg){.kind = MEMD_SLOTS});
}

/* When the news is on its way already nobody may have been woken for it. */
static void do_hear(struct memd *m, const struct memd_msg *msg)
{
	struct fork_order *o = order_find_fork(m, msg->cookie);

	if (o)
		o->awaited = true;
	else
		memd_send(m, &(struct memd_msg){.kind = MEMD_DONE});
}

static void serve_one(struct memd *m, const struct memd_msg *msg)
{
	int ret = 0;

	switch (msg->kind) {
	case MEMD_FORK: ret = do_fork(m, msg); break;
	case MEMD_MAP: ret = do_map(m, msg); break;
	case MEMD_KILL: do_kill(m, msg); break;
	case MEMD_FORGET: object_forget(m, msg->object); break;
	case MEMD_OPEN: do_open(m, msg); break;
	case MEMD_LIMIT:
		ret = do_limit(m, msg);
		if (msg->req)
			memd_send(m, &(struct memd_msg){.kind = MEMD_DONE, .req = msg->req, .error = ret});
		break;
	case MEMD_TAKEN: do_taken(m, msg); break;
	case MEMD_CANCEL: do_cancel(m, msg); break;
	case MEMD_GIVE: do_give(m, msg); break;
	case MEMD_WANT: do_want(m); break;
	case MEMD_HEAR: do_hear(m, msg); break;
	default: ret = -EPROTO; break;
	}
	if (ret && ret != -ESRCH)
		log_warn("order %u of sysd refused: %s", msg->kind, strerror(-ret));
}

void serve_drain(struct memd *m)
{
	uint8_t buf[MEMD_MSG_MAX];
	struct memd_msg msg;
	ssize_t n;

	while ((n = ring_recv(&m->ring, buf, sizeof(buf))) != -EAGAIN) {
		if (n < 0 || memd_msg_decode(buf, (size_t)n, &msg) < 0) {
			log_error("sysd's ring is broken");
			m->stop = true;
			return;
		}
		serve_one(m, &msg);
	}
}
