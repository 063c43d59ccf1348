/* Entries that every service's allow-list has: what the C library needs for memory, threads that
 * exist, and a clean end. Nothing here opens, executes or maps code. */
#ifndef SBX_CONFINE_POLICY_BASE_H
#define SBX_CONFINE_POLICY_BASE_H

#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "common/confine/confine.h"

/* An entry without conditions; with one; only with a terminal; only with debug options; only with --network=host. */
#define CALL(name, reason) {.nr = SYS_##name, .why = (reason)}
#define CALL_ARG(name, i, m, v, reason) \
	{.nr = SYS_##name, .arg_count = 1, .args = {{.index = (i), .mask = (m), .value = (v)}}, .why = (reason)}
#define CALL_ARG2(name, i, m, v, j, n, w, reason)                                                   \
	{.nr = SYS_##name, .arg_count = 2, .args = {{.index = (i), .mask = (m), .value = (v)},      \
		{.index = (j), .mask = (n), .value = (w)}}, .why = (reason)}
#define CALL_DEBUG(name, reason) {.nr = SYS_##name, .only = 2, .why = (reason)}
#define CALL_HOSTNET(name, reason) {.nr = SYS_##name, .only = 3, .why = (reason)}

#define ALL_BITS UINT64_MAX
#define LOW_BITS 0xffffffffull /* arguments that are int: the upper half is not defined */

#define POLICY_BASE                                                                               \
	CALL(read, "eventfds, signalfds, pipes and donated files"),                               \
	CALL(write, "log lines, wake-ups, donated files"),                                        \
	CALL(close, "every descriptor that was received"),                                        \
	CALL(futex, "sleeping on shared words, locks of the C library"),                          \
	CALL_ARG(mmap, 2, PROT_EXEC, 0, "memory and shared windows, never executable"),           \
	CALL_ARG(mprotect, 2, PROT_EXEC, 0, "malloc's heap growth, guard pages; never executable"), \
	CALL(munmap, "giving memory back"),                                                       \
	CALL(mremap, "realloc of large blocks"),                                                  \
	CALL(madvise, "giving unused pages back"),                                                \
	CALL(brk, "malloc"),                                                                      \
	CALL(rt_sigprocmask, "the C library around thread and signal work"),                      \
	CALL(rt_sigreturn, "return from a handler"),                                              \
	CALL(sigaltstack, "stacks of handlers when a thread ends"),                               \
	CALL(clock_gettime, "time, where the vDSO has no answer"),                                \
	CALL(clock_nanosleep, "pauses with an end"),                                              \
	CALL(nanosleep, "pauses with an end"),                                                    \
	CALL(getpid, "abort() and messages"),                                                     \
	CALL(gettid, "locks and abort() of the C library"),                                       \
	CALL(sched_yield, "locks of the C library"),                                              \
	CALL(getrandom, "malloc's tags and hash seeds"),                                          \
	CALL(restart_syscall, "a sleep that a stop interrupted"),                                 \
	CALL(set_robust_list, "a thread that is still starting"),                                 \
	CALL(rseq, "a thread that is still starting"),                                            \
	CALL(exit, "the end of a thread"),                                                        \
	CALL(exit_group, "the end of the process"),                                               \
	CALL(tgkill, "abort() reaches itself")

#endif
