/* A child of one fork asks for its slots with the cookie of another, when the table that it inherited has a third
 * process's slots at the number that the other's stand at: it must not get those. The forks are asked for by hand, so
 * that the runtime does not carry them out, and the clones are made through its syscall instruction. */
#include "hostile.h"

#define VICTIMS 6

static struct shared {
	volatile int go, done;
	volatile uint64_t mapped;
	volatile uint32_t tid;
} *sh;

static uint64_t site;

static long through_runtime(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("call *%[site]"
			 : "=a"(ret), "+r"(r10), "+r"(r8), "+r"(r9)
			 : [site] "b"(site), "0"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

struct order {
	uint32_t cookie, number;
};

static int order_fork(struct sbx_slot *slot, struct order *ret_o)
{
	memset(slot->args, 0, sizeof(slot->args));
	attack_request(slot, SBX_REQ_SYSCALL, SYS_fork);
	if (slot->act != SBX_ACT_HOSTOPS || slot->ops[0].kind != SBX_HOP_CLONE_PROCESS)
		return -1;
	ret_o->cookie = (uint32_t)slot->ops[0].args[0];
	ret_o->number = (uint32_t)slot->ops[0].args[2];
	return 0;
}

static void thief(uint64_t base, uint32_t index, const struct order *other)
{
	uint64_t at = base + SBX_R_SLOTS;
	const int rw = PROT_READ | PROT_WRITE, how = MAP_SHARED | MAP_FIXED;
	long r;

	while (!sh->go)
		;
	r = through_runtime(SYS_mmap, at, SBX_SLOTS_SIZE, rw, how, (uint64_t)other->cookie << 32 | other->number, 0);
	if (!r)
		r = through_runtime(SYS_mmap, at, SBX_SLOTS_SIZE, rw, how, SBX_FD_SLOTS, 0);
	sh->mapped = (uint64_t)r;
	if ((uint64_t)r == at)
		sh->tid = ((struct sbx_slot *)(at + index * SBX_SLOT_STRIDE))->tid;
	sh->done = 1;
	for (;;)
		through_runtime(SYS_exit_group, 0, 0, 0, 0, 0, 0);
}

int main(void)
{
	const struct sbx_thread *t;
	uint64_t base = attack_base(), sites[1];
	struct sbx_slot *slot;
	pid_t victims[VICTIMS];
	struct order a, b;
	int failed = 0;

	sh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!base || sh == MAP_FAILED || attack_sites(base, sites, 1) != 1)
		return 2;
	site = sites[0];
	__asm__ volatile("rdgsbase %0" : "=r"(t));
	slot = attack_slot(base);
	for (int i = 0; i < VICTIMS; i++) {
		victims[i] = fork();
		if (!victims[i])
			for (;;)
				pause();
	}
	usleep(100000);
	if (order_fork(slot, &a) || order_fork(slot, &b)) {
		puts("the forks were not ordered as expected");
		return 2;
	}
	if (through_runtime(SYS_clone, SBX_CLONE_PROCESS_FLAGS, 0, 0, 0, a.cookie, 0) == 0)
		thief(base, t->index, &b);
	if (through_runtime(SYS_clone, SBX_CLONE_PROCESS_FLAGS, 0, 0, 0, b.cookie, 0) == 0)
		for (;;)
			;
	sh->go = 1;
	for (int i = 0; i < 200 && !sh->done; i++)
		usleep(10000);
	for (int i = 0; i < VICTIMS; i++) {
		if (sh->tid && sh->tid == (uint32_t)victims[i]) {
			printf("a child has the slots of process %d\n", victims[i]);
			failed = 1;
		}
		if (waitpid(victims[i], NULL, WNOHANG)) {
			printf("process %d was ended\n", victims[i]);
			failed = 1;
		}
		kill(victims[i], SIGKILL);
	}
	if (!sh->done)
		puts("the thief never came to an end");
	printf("the thief has %s\n", sh->tid ? "its own slots" : "none");
	return failed || !sh->done;
}
