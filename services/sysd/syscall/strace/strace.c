/* The line of one finished call in the sysd log, as strace prints it; made from the table's argument
 * kinds. Costs nothing when off. */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "common/base/util.h"
#include "common/log/log.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/strace/strace.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

#define IOVS_SHOWN 8

static const struct {
	show_fn fn;
	bool result;
} shows[] = {
#define SHOW(name) [SHOW_##name] = {show_##name, false},
#define SHOW_RESULT(name) [SHOW_##name] = {show_##name, true},
#include "services/sysd/syscall/strace/show.def"
#undef SHOW
#undef SHOW_RESULT
};

/* The vectors of readv and writev, or the contents of the first ones. */
static void put_iov(struct line *l, struct task *t, uint64_t uiov, uint64_t count, int64_t moved)
{
	put(l, "[");
	for (uint64_t i = 0; i < count && i < IOVS_SHOWN; i++) {
		struct {
			uint64_t base, size;
		} v;

		if (user_read(t, &v, uiov + i * sizeof(v), sizeof(v)) < 0)
			break;
		put(l, "%s{iov_base=", i ? ", " : "");
		if (moved > 0) {
			uint64_t n = MIN(v.size, (uint64_t)moved);

			put_buffer(l, t, v.base, n);
			moved -= (int64_t)n;
		} else {
			put_ptr(l, v.base);
		}
		put(l, ", iov_len=%llu}", (unsigned long long)v.size);
	}
	put(l, count > IOVS_SHOWN ? ", ...]" : "]");
}

static void put_arg(struct line *l, struct task *t, const struct arg_spec *a, unsigned i, int64_t ret)
{
	uint64_t v = t->args[i];

	if (a->show && (!shows[a->show].result || ret >= 0)) {
		shows[a->show].fn(l, t, v, ret);
		return;
	}
	switch (a->kind) {
	case ARG_INT:
	case ARG_FD:
	case ARG_PID:
		put(l, "%d", (int)v);
		break;
	case ARG_SIG:
		put_signal(l, (int)v);
		break;
	case ARG_CLOCK:
		show_clock(l, t, v, ret);
		break;
	case ARG_UINT:
	case ARG_UID:
		put(l, "%u", (unsigned)v);
		break;
	case ARG_LONG:
	case ARG_OFF:
		put(l, "%lld", (long long)v);
		break;
	case ARG_SIZE:
		put(l, "%llu", (unsigned long long)v);
		break;
	case ARG_OCT:
		put(l, "%#llo", (unsigned long long)v);
		break;
	case ARG_DIRFD:
		if ((int)v == -100)
			put(l, "AT_FDCWD");
		else
			put(l, "%d", (int)v);
		break;
	case ARG_PATH:
	case ARG_STR:
		put_string(l, t, v);
		break;
	case ARG_IN_BUF:
		put_buffer(l, t, v, (size_t)t->args[a->len_arg]);
		break;
	case ARG_OUT_BUF:
		if (ret >= 0)
			put_buffer(l, t, v, MIN((size_t)ret, (size_t)t->args[a->len_arg]));
		else
			put_ptr(l, v);
		break;
	case ARG_IOV_IN:
	case ARG_IOV_OUT:
		put_iov(l, t, v, t->args[a->len_arg], a->kind == ARG_IOV_IN && ret < 0 ? 0 : ret);
		break;
	default:
		if (a->kind == ARG_HEX && !v)
			put(l, "0");
		else
			put_ptr(l, v);
	}
}

static void put_call(struct line *l, struct task *t, int64_t ret)
{
	const struct syscall_desc *d = NULL;

	if ((uint64_t)t->nr < SYSCALL_COUNT && syscall_table[t->nr].name)
		d = &syscall_table[t->nr];
	if (d)
		put(l, "%s(", d->name);
	else
		put(l, "syscall_%lld(", (long long)t->nr);
	for (unsigned i = 0; d && i < 6 && d->arg[i].kind != ARG_NONE; i++) {
		put(l, i ? ", " : "");
		put_arg(l, t, &d->arg[i], i, ret);
	}
}

void strace_describe(struct task *t, char *buf, size_t size)
{
	struct line l = {.used = 0};

	buf[0] = 0;
	if (t->nr < 0)
		return;
	put_call(&l, t, -1);
	put(&l, ")");
	snprintf(buf, size, "%s", l.buf);
}

char *strace_before(struct task *t)
{
	struct line l = {.used = 0};

	if (t->nr != SYS_execve && t->nr != SYS_execveat && t->nr != SYS_exit && t->nr != SYS_exit_group)
		return NULL;
	put_call(&l, t, -1);
	if (t->nr == SYS_execve || t->nr == SYS_execveat)
		return strdup(l.buf);
	log_write(LOG_DEBUG_, "[%u] %s %s) = ?", t->tid, t->comm, l.buf);
	return NULL;
}

static void put_result(struct line *l, int64_t ret)
{
	if (ret == -ERESTARTSYS || ret == -ERESTARTNOINTR || ret == -ERESTARTNOHAND ||
	    ret == -ERESTART_RESTARTBLOCK)
		put(l, ") = ? (to be restarted)");
	else if (ret < 0 && ret > -4096)
		put(l, ") = -1 %s (%s)", strerrorname_np((int)-ret) ?: "E?", strerrordesc_np((int)-ret) ?: "?");
	else if (ret > 0xffffff || ret < 0)
		put(l, ") = %#llx", (unsigned long long)ret);
	else
		put(l, ") = %lld", (long long)ret);
}

void strace_call(struct task *t, int64_t ret, uint64_t start_ns, char *before)
{
	uint64_t took_us = (clock_mono_ns() - start_ns) / 1000;
	CLEANUP_FREE char *owned = before;
	struct line l = {.used = 0};

	if (owned)
		put(&l, "%s", owned);
	else
		put_call(&l, t, ret);
	put_result(&l, ret);
	log_write(LOG_DEBUG_, "[%u] %s %s <%llu.%06llu>", t->tid, t->comm, l.buf,
		  (unsigned long long)(took_us / 1000000), (unsigned long long)(took_us % 1000000));
}
