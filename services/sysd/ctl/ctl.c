#include "services/sysd/ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include "common/base/util.h"
#include "common/ipc/endpoint.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/core/settle.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/ctl/internal.h"
#include "services/sysd/sys/limits.h"
#include "services/sysd/task/task.h"
#include "services/sysd/tty/tty.h"

#define TICKET_TIMEOUT_MS 1000

struct sandbox sandbox;

static ctl_restart_fn on_restart[CTL_SERVICE_COUNT];
static struct endpoint *endpoint;
static struct fdpass_inbox inbox;

struct request {
	struct sched_note note;
	struct ctl_msg msg;
};

int ctl_fail(struct ctl_error *e, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return error;
}

/* The launcher sends a descriptor before the message that names it, so that this does not wait. */
int ctl_take_fd(uint64_t ticket)
{
	return fdpass_inbox_take(&inbox, ticket, TICKET_TIMEOUT_MS);
}

static void send(const struct ctl_msg *m)
{
	CLEANUP_FREE uint8_t *buf = NULL;
	long size = ctl_encode(m, &buf);
	int r = size < 0 ? (int)size : endpoint_send(endpoint, buf, (size_t)size);

	if (r < 0)
		log_error("a message to the launcher is lost: %s", strerror(-r));
}

void ctl_notify_exit(uint32_t pid, int status)
{
	send(&(struct ctl_msg){.type = CTL_EXIT, .pid = pid, .value = status});
}

/* The end of pid 1 is the end of us: what it wrote to its terminal has to be out there first, and so have
 * its files, for any process that the launcher waits for. A reader
 * that has stopped reading does not hold it up for long. */
#define LAST_WORDS_NS 2000000000ull
#define LAST_WORDS_STEP_NS 5000000ull

static void drain_console(struct tty *tty)
{
	uint64_t end = clock_mono_ns() + LAST_WORDS_NS;

	while (tty_out_count(tty) && tty->bridge && clock_mono_ns() < end)
		WAIT_EVENT_FLAGS(&tty->write_wait, tty_out_count(tty) == 0, 0,
				 clock_mono_ns() + LAST_WORDS_STEP_NS);
}

struct last_words {
	uint32_t pid;
	int32_t status;
};

static void say_last_words(void *arg)
{
	struct last_words *w = arg;

	settle();
	if (w->pid == 1 && sandbox.console)
		drain_console(sandbox.console);
	ctl_notify_exit(w->pid, w->status);
	free(w);
}

static void on_reap(uint32_t pid, int32_t status)
{
	if (pid == 1)
		sandbox.init = NULL;
	if (settle_pending() || (pid == 1 && sandbox.console && tty_out_count(sandbox.console))) {
		struct last_words *w = malloc(sizeof(*w));

		if (w)
			*w = (struct last_words){pid, status};
		if (w && sched_spawn(say_last_words, w) == 0)
			return;
		free(w);
	}
	ctl_notify_exit(pid, status);
}

void ctl_on_restart(unsigned which, ctl_restart_fn fn)
{
	on_restart[which] = fn;
}

static int do_service(unsigned which, uint64_t ticket, struct ctl_error *e)
{
	CLEANUP_CLOSE int ring = ctl_take_fd(ticket);
	CLEANUP_CLOSE int pass = ctl_take_fd(ticket + 1);

	if (ring < 0 || pass < 0)
		return ctl_fail(e, -EIO, "the descriptors of a service did not arrive");
	if (which >= CTL_SERVICE_COUNT || !on_restart[which])
		return ctl_fail(e, -ENOSYS, "service %u cannot be started again", which);
	return on_restart[which](STEAL_FD(ring), STEAL_FD(pass));
}

static void serve(void *arg)
{
	struct request *q = arg;
	struct ctl_msg *m = &q->msg;
	struct ctl_error e = {""};
	struct ctl_msg reply = {.type = CTL_REPLY, .id = m->id};
	CLEANUP_FREE char *text = NULL;

	switch (m->type) {
	case CTL_CONFIGURE:
		reply.value = do_configure(m->config, &e);
		break;
	case CTL_START:
		reply.value = do_start(m->process, &e);
		break;
	case CTL_EXEC:
		reply.value = do_exec(m->process, &e);
		break;
	case CTL_SIGNAL:
		reply.value = do_signal(m->pid, (int)m->value, m->flag, &e);
		break;
	case CTL_RESIZE:
		reply.value = do_resize(m->pid, m->rows, m->cols, &e);
		break;
	case CTL_STOP:
		reply.value = do_stop(&e);
		break;
	case CTL_SERVICE:
		reply.value = do_service(m->pid, (uint64_t)m->value, &e);
		break;
	case CTL_CHECK:
		reply.value = do_check(m->process, &e);
		break;
	case CTL_UPDATE:
		limits_set(m->limits);
		break;
	case CTL_PS:
		text = do_ps();
		reply.value = text ? 0 : -ENOMEM;
		break;
	case CTL_DEBUG:
		text = do_debug();
		reply.value = text ? 0 : -ENOMEM;
		break;
	case CTL_NET:
		text = do_net();
		reply.value = text ? 0 : -ENETDOWN;
		break;
	case CTL_STATS:
		text = do_stats();
		reply.value = text ? 0 : -ENOMEM;
		break;
	default:
		reply.value = ctl_fail(&e, -ENOSYS, "no such request: %d", (int)m->type);
	}
	if (reply.value < 0) {
		reply.text = e.text[0] ? e.text : strerror((int)-reply.value);
		log_info("request %d: %s", (int)m->type, reply.text);
	} else {
		reply.text = text;
	}
	send(&reply);
	ctl_msg_done(m);
	free(q);
}

static void on_executor(void *arg)
{
	struct request *q = arg;

	if (sched_spawn(serve, q) < 0) {
		log_error("no memory to serve a request of the launcher");
		send(&(struct ctl_msg){.type = CTL_REPLY, .id = q->msg.id, .value = -ENOMEM});
		ctl_msg_done(&q->msg);
		free(q);
	}
}

/* On nng's thread. */
static void on_message(void *arg, const void *data, size_t size)
{
	struct request *q = calloc(1, sizeof(*q));
	int r = q ? ctl_decode(data, size, &q->msg) : -ENOMEM;

	if (r < 0) {
		log_error("a message of the launcher was dropped: %s", strerror(-r));
		free(q);
		return;
	}
	q->note.fn = on_executor;
	q->note.arg = q;
	sched_post(&q->note);
}

static void on_gone(void *arg)
{
	/* the supervisor has died; so shall we, whatever the parent's death signal does */
	sched_stop();
}

int ctl_start(int pass_fd)
{
	const struct endpoint_ops ops = {.recv = on_message, .gone = on_gone};

	fdpass_inbox_init(&inbox, pass_fd);
	task_on_reap = on_reap;
	return endpoint_dial(SBX_CTL_DIR "/sysd.sock", (uid_t)-1, &ops, &endpoint);
}
