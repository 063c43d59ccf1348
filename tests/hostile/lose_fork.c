/* A process asks for forks by hand and does not carry them out: it says that the host refused, or that it did not, or
 * goes on as if there were a child. What it was promised must not stay behind, and a child that never comes can be
 * killed. */
#include "hostile.h"

static volatile sig_atomic_t told;

static void on_child(int sig)
{
	told = sig;
}

static int claim(struct sbx_slot *slot, int64_t op_ret)
{
	attack_request(slot, SBX_REQ_SYSCALL, SYS_fork);
	if (slot->act != SBX_ACT_HOSTOPS)
		return 1;
	slot->ops[0].ret = op_ret;
	attack_request(slot, SBX_REQ_HOSTOPS_DONE, 0);
	if (slot->act != SBX_ACT_RETURN || slot->ret >= 0) {
		printf("a fork that was said to give %ld: reply %u, %ld\n", (long)op_ret, slot->act, (long)slot->ret);
		return 1;
	}
	return 0;
}

int main(void)
{
	uint64_t base = attack_base();
	struct sbx_slot *slot;
	int failed = 0;

	if (!base)
		return 2;
	signal(SIGCHLD, on_child);
	slot = attack_slot(base);
	memset(slot->args, 0, sizeof(slot->args));
	for (int i = 0; i < 200; i++) {
		static const int64_t claims[] = {-11, -12, -1, INT64_MIN, 0, 1, INT64_MAX};

		failed += claim(slot, claims[(size_t)i % (sizeof(claims) / sizeof(claims[0]))]);
	}
	usleep(100000);
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD) {
		puts("a child that never was is there");
		failed++;
	}
	if (told) {
		puts("its end was told");
		failed++;
	}
	for (int i = 0; i < 20; i++) {
		int status = 0;
		pid_t p;

		attack_request(slot, SBX_REQ_SYSCALL, SYS_fork);
		p = (pid_t)slot->ret;
		if (kill(p, 0) || kill(p, SIGKILL) || waitpid(p, &status, 0) != p || status != SIGKILL) {
			printf("child %d that never comes: status 0x%x, errno %d\n", p, status, errno);
			failed++;
		}
	}
	return failed != 0;
}
