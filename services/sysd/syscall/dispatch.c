/* Dispatch of one call, and what the runtime is told about the calls. */
#include "services/sysd/syscall/syscall.h"

#include <errno.h>
#include <string.h>

#include "common/slot/slot.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/task/task.h"

int strace_enabled;

long task_seccomp_check(struct task *t, int64_t *ret) __attribute__((weak));

int64_t syscall_dispatch(struct task *t)
{
	const struct syscall_desc *d;
	char *before = NULL;
	uint64_t start = 0;
	int64_t ret;

	if (__builtin_expect(strace_enabled, 0)) {
		before = strace_before(t);
		start = clock_mono_ns();
	}
	/* Guest seccomp filters (seccomp(2)) see every call, known or not. */
	if (task_seccomp_check && task_seccomp_check(t, &ret) != 0)
		goto out;
	if ((uint64_t)t->nr >= SYSCALL_COUNT || !(d = &syscall_table[t->nr])->fn)
		ret = -ENOSYS;
	else
		ret = d->fn(t, t->args);
out:
	if (__builtin_expect(strace_enabled, 0))
		strace_call(t, ret, start, before);
	return ret;
}

static const uint8_t hint_of[ARG_KINDS] = {
	[ARG_PATH] = SBX_HINT_CSTR,      [ARG_STR] = SBX_HINT_CSTR,       [ARG_IN] = SBX_HINT_IN,
	[ARG_INOUT] = SBX_HINT_IN,       [ARG_IN_BUF] = SBX_HINT_IN_ARG,  [ARG_IOV_IN] = SBX_HINT_IOVEC_IN,
	[ARG_IOV_OUT] = SBX_HINT_IOVEC,  [ARG_IN_ARRAY] = SBX_HINT_ARRAY, [ARG_FDSET] = SBX_HINT_FDSET,
	[ARG_MSG_IN] = SBX_HINT_MSG_IN,  [ARG_MSG_OUT] = SBX_HINT_MSG,
};

void syscall_fill_hints(struct sbx_ctl *ctl)
{
	for (unsigned nr = 0; nr < SYSCALL_COUNT && nr < SBX_NR_MAX; nr++) {
		const struct syscall_desc *d = &syscall_table[nr];
		struct sbx_call_hint *h = &ctl->hint[nr];

		memset(h, 0, sizeof(*h));
		if (!d->name)
			continue;
		h->t0 = d->tier == 0;
		for (unsigned i = 0; i < 6; i++) {
			h->arg[i].len_arg = d->arg[i].len_arg;
			h->arg[i].size = d->arg[i].size;
			h->arg[i].kind = hint_of[d->arg[i].kind];
		}
	}
}
