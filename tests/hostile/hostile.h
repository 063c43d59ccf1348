/* Tools of an attacker inside the sandbox: raw calls from its own code, and calls through the runtime's own
 * syscall instruction. Programs here exit 0 when the attack failed as it should (or are killed, where
 * the comment in run says so) and print what got through. */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/slot/slot.h"
#include "common/slot/stub.h"

/* The runtime's base: GS points to this thread's area while guest code runs. 0: GS is not ours. */
static inline uint64_t attack_base(void)
{
	const struct sbx_thread *t;

	__asm__ volatile("rdgsbase %0" : "=r"(t));
	return t ? t->base : 0;
}

static sigjmp_buf attack_back;
static volatile int attack_faulted;

static void attack_on_fault(int signo)
{
	attack_faulted = signo;
	siglongjmp(attack_back, 1);
}

/* The runtime's syscall instructions, by search of its text. */
static inline int attack_sites(uint64_t base, uint64_t *sites, int max)
{
	const struct sbx_stub_header *h = (const void *)(base + SBX_R_TEXT);
	const uint8_t *p = (const uint8_t *)h;
	int n = 0;

	if (h->magic != SBX_STUB_MAGIC)
		return 0;
	for (uint32_t i = h->text_begin; i + 1 < h->text_end && n < max; i++)
		if (p[i] == 0x0f && p[i + 1] == 0x05)
			sites[n++] = (uint64_t)(p + i);
	return n;
}

/* Jumps to the instruction at `site` with these registers. What follows it is the runtime's code, with a
 * stack of ours full of addresses that lead back here; a fault leads back too. Returns 1 when rax came
 * back (*ret), 0 when the way back was a fault. The host call itself was made either way. */
static inline int attack_call(uint64_t site, long nr, long a, long b, long c, long d, long e, long f, long *ret)
{
	static uint64_t stack[4096];
	struct sigaction sa = {.sa_handler = attack_on_fault, .sa_flags = SA_NODEFER}, old[4];
	static const int sigs[4] = {SIGSEGV, SIGILL, SIGBUS, SIGTRAP};
	long result = 0;
	int came_back = 0;

	for (int i = 0; i < 4; i++)
		sigaction(sigs[i], &sa, &old[i]);
	if (!sigsetjmp(attack_back, 1)) {
		register long r10 __asm__("r10") = d;
		register long r8 __asm__("r8") = e;
		register long r9 __asm__("r9") = f;

		__asm__ volatile("lea 1f(%%rip), %%rcx\n\t"
				 "lea 16384(%[stack]), %%rbx\n\t"
				 "0: mov %%rcx, (%[stack])\n\t"
				 "add $8, %[stack]\n\t"
				 "cmp %%rbx, %[stack]\n\t"
				 "jne 0b\n\t"
				 "sub $8192, %[stack]\n\t"
				 "mov %%rsp, %%r15\n\t"
				 "mov %[stack], %%rsp\n\t"
				 "jmp *%[site]\n\t"
				 "1: mov %%r15, %%rsp\n\t"
				 : "=a"(result), [stack] "=r"((uint64_t){0})
				 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9), [site] "r"(site),
				   "1"(stack)
				 : "rcx", "r11", "rbx", "r12", "r13", "r14", "r15", "rbp", "memory", "cc");
		came_back = 1;
	}
	for (int i = 0; i < 4; i++)
		sigaction(sigs[i], &old[i], NULL);
	if (came_back)
		*ret = result;
	return came_back;
}

#endif
