/* Runs kernel code in a unit test: an executor on the test's thread and a task whose guest memory is
 * the test's own (user addresses are plain pointers; page zero faults). */
#ifndef TESTS_UNIT_KERNEL_HARNESS_H
#define TESTS_UNIT_KERNEL_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/sysd/core/sched.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

/* A task with every pointer NULL but a strand: fill in what the code under test needs (files, fs, cred,
 * signal...). It lives until its fn returned. */
void ktest_spawn(void (*fn)(struct task *t, void *arg), void *arg);
/* Runs the executor until all spawned tasks have ended. */
void ktest_run(void);
/* Both. */
void ktest_call(void (*fn)(struct task *t, void *arg), void *arg);
/* A pointer as a guest address. */
#define U(p) ((uint64_t)(uintptr_t)(p))
/* Calls a handler: ktest_sys(t, sys_read, fd, U(buf), n). */
#define ktest_sys(t, fn, ...) (fn)((t), (const uint64_t[6]){__VA_ARGS__})

#endif
