/* Tools of an attacker inside the sandbox: raw calls from its own code, and calls through the runtime's own
 * syscall instruction. Programs here exit 0 when the attack failed as it should (or are killed, where
 * the comment in run says so) and print what got through. */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#ifndef _GNU_SOURCE
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
#include <sys/stat.h>
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

__attribute__((unused)) static void attack_on_fault(int signo)
{
	attack_faulted = signo;
	siglongjmp(attack_back, 1);
}

/* The runtime's syscall instructions, by search of its text. */
__attribute__((unused)) static int attack_sites(uint64_t base, uint64_t *sites, int max)
{
	const struct sbx_stub_header *h = (const void *)(base + SBX_R_TEXT);
	const uint8_t *p = (const uint8_t *)h;
	int n = 0;

	if (h->magic != SBX_STUB_MAGIC)
		return 0;
	for (uint32_t i = h->text_begin; i + 1 < h->text_end && n < max; i++)
		if (p[i] == 0x0f && p[i + 1] == 0x05 && p[i + 2] == 0xc3) /* syscall; ret */
			sites[n++] = (uint64_t)(p + i);
	return n;
}

/* Jumps to the instruction at `site` with these registers. What follows it is the runtime's code, with a
 * stack of ours full of addresses that lead back here; a fault leads back too. Returns 1 when rax came
 * back (*ret), 0 when the way back was a fault. The host call itself was made either way. */
__attribute__((noinline, unused)) static int attack_call(uint64_t site, long nr, long a, long b, long c, long d, long e, long f, long *ret)
{
	static uint64_t stack[4096], saved_rsp;
	struct sigaction sa = {.sa_handler = attack_on_fault, .sa_flags = SA_NODEFER}, old[4];
	static const int sigs[4] = {SIGSEGV, SIGILL, SIGBUS, SIGTRAP};
	volatile long result = 0;
	volatile int came_back = 0;

	for (int i = 0; i < 4; i++)
		sigaction(sigs[i], &sa, &old[i]);
	for (int i = 0; i < 4096; i++)
		stack[i] = 0;
	if (!sigsetjmp(attack_back, 1)) {
		uint64_t block[9] = {(uint64_t)nr, (uint64_t)a, (uint64_t)b, (uint64_t)c, (uint64_t)d,
				     (uint64_t)e, (uint64_t)f, site, (uint64_t)&stack[2048]};
		long rax;

		/* The landing address fills the upper half of the stack: a `ret` anywhere in what follows
		 * comes back here. */
		__asm__ volatile("push %%rbp\n\t"
				 "push %%rbx\n\t"
				 "sub $128, %%rsp\n\t"
				 "mov %%rsp, %[saved]\n\t"
				 "mov %[block], %%rbx\n\t"
				 "lea 1f(%%rip), %%rcx\n\t"
				 "mov 64(%%rbx), %%r11\n\t"
				 "mov $1024, %%eax\n\t"
				 "0: mov %%rcx, (%%r11)\n\t"
				 "add $8, %%r11\n\t"
				 "dec %%eax\n\t"
				 "jnz 0b\n\t"
				 "mov 64(%%rbx), %%rsp\n\t"
				 "mov 0(%%rbx), %%rax\n\t"
				 "mov 8(%%rbx), %%rdi\n\t"
				 "mov 16(%%rbx), %%rsi\n\t"
				 "mov 24(%%rbx), %%rdx\n\t"
				 "mov 32(%%rbx), %%r10\n\t"
				 "mov 40(%%rbx), %%r8\n\t"
				 "mov 48(%%rbx), %%r9\n\t"
				 "jmp *56(%%rbx)\n\t"
				 "1: mov %[saved], %%rsp\n\t"
				 "add $128, %%rsp\n\t"
				 "pop %%rbx\n\t"
				 "pop %%rbp\n\t"
				 : "=a"(rax), [saved] "+m"(saved_rsp)
				 : [block] "r"(block)
				 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
				   "memory", "cc");
		result = rax;
		came_back = 1;
	}
	for (int i = 0; i < 4; i++)
		sigaction(sigs[i], &old[i], NULL);
	if (came_back)
		*ret = result;
	return came_back;
}

/* This thread's slot. */
__attribute__((unused)) static struct sbx_slot *attack_slot(uint64_t base)
{
	const struct sbx_thread *t;

	__asm__ volatile("rdgsbase %0" : "=r"(t));
	return (void *)(base + SBX_R_SLOTS + t->index * SBX_SLOT_STRIDE);
}

/* A request written by hand; returns when its reply stands, which nobody carries out. */
__attribute__((unused)) static void attack_request(struct sbx_slot *slot, uint32_t req, uint64_t nr)
{
	slot->in_count = 0;
	slot->nr = nr;
	slot->req = req;
	__atomic_store_n(&slot->state, SBX_SLOT_REQUEST, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) != SBX_SLOT_REPLY)
		;
	__atomic_store_n(&slot->state, SBX_SLOT_IDLE, __ATOMIC_SEQ_CST);
}

#endif
