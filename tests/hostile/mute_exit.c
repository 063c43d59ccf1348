/* A thread asks for its end by a request that it writes into its slot by hand, and never looks at the answer:
 * robust mutexes and a cleared id, which the kernel has its runtime see to first, stay undone. Its process must
 * end all the same, and its parent hear of it. */
#include "hostile.h"
#include <linux/futex.h>
#include <pthread.h>

static struct {
	struct robust_list node;
	uint32_t word;
} lock;
static struct robust_list_head head;

static void ask_by_hand(uint64_t base, uint32_t index, long nr)
{
	struct sbx_slot *slot = (void *)(base + SBX_R_SLOTS + index * SBX_SLOT_STRIDE);

	slot->args[0] = 7;
	slot->in_count = 0;
	slot->nr = (uint64_t)nr;
	slot->req = SBX_REQ_SYSCALL;
	__atomic_store_n(&slot->state, SBX_SLOT_REQUEST, __ATOMIC_SEQ_CST);
	for (;;)
		;
}

static void own_robust_mutex(void)
{
	lock.word = (uint32_t)syscall(SYS_gettid);
	lock.node.next = (void *)&head;
	head.list.next = &lock.node;
	head.futex_offset = (long)((char *)&lock.word - (char *)&lock.node);
	if (syscall(SYS_set_robust_list, &head, sizeof(head)))
		_exit(2);
}

static void *mute_thread(void *arg)
{
	const struct sbx_thread *t;

	own_robust_mutex();
	__asm__ volatile("rdgsbase %0" : "=r"(t));
	ask_by_hand(t->base, t->index, (long)(intptr_t)arg);
	return NULL;
}

static int wait_for_end(pid_t p)
{
	int status;

	for (int i = 0; i < 100; i++) {
		if (waitpid(p, &status, WNOHANG) == p)
			return 0;
		usleep(100000);
	}
	return 1;
}

int main(void)
{
	uint64_t base = attack_base();
	pid_t p;

	if (!base)
		return 2;
	/* alone in its memory */
	p = fork();
	if (!p) {
		own_robust_mutex();
		ask_by_hand(base, 0, SYS_exit_group);
	}
	if (wait_for_end(p)) {
		puts("a process that does not look at its end lives on");
		return 1;
	}
	/* one of several threads; another one ends the process, or it is killed */
	for (int how = 0; how < 3; how++) {
		p = fork();
		if (!p) {
			pthread_t t;

			pthread_create(&t, NULL, mute_thread, (void *)(intptr_t)(how ? SYS_exit : SYS_exit_group));
			usleep(200000);
			if (how == 1)
				_exit(0);
			for (;;)
				pause();
		}
		if (how == 2) {
			usleep(400000);
			kill(p, SIGKILL);
		}
		if (wait_for_end(p)) {
			printf("a thread that does not look at its end keeps its process (%d)\n", how);
			return 1;
		}
	}
	return 0;
}
