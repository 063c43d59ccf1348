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
			switch (d->arg[i].kind) {
			case ARG_PATH:
			case ARG_STR:
				h->arg[i].kind = SBX_HINT_CSTR;
				break;
			case ARG_IN:
				h->arg[i].kind = SBX_HINT_IN;
				break;
			case ARG_INOUT:
				h->arg[i].kind = SBX_HINT_INOUT;
				break;
			case ARG_IN_BUF:
				h->arg[i].kind = SBX_HINT_IN_ARG;
				break;
			case ARG_IOV_IN:
				h->arg[i].kind = SBX_HINT_IOVEC_IN;
				break;
			case ARG_IOV_OUT:
				h->arg[i].kind = SBX_HINT_IOVEC;
				break;
			default:
				h->arg[i].kind = SBX_HINT_NONE;
			}
		}
	}
}
