/* A tracee that is killed by a third process while its tracer writes breakpoints into its text. */
#include "../say.h"
#include <sys/ptrace.h>

#define ROUNDS 300

static void target(void)
{
	__asm__ volatile("nop; nop; nop; nop; nop; nop; nop; nop");
}

static unsigned next_delay(void)
{
	static unsigned x = 777;

	x = x * 1103515245 + 12345;
	return (x >> 16) % 1200;
}

int main(void)
{
	int bad = 0, pokes = 0, status;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t p = MUST(fork()), killer;
		long word;

		if (!p) {
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			raise(SIGSTOP);
			_exit(0);
		}
		MUST(waitpid(p, &status, 0));
		killer = MUST(fork());
		if (!killer) {
			usleep(next_delay());
			_exit(kill(p, SIGKILL));
		}
		next_delay();
		errno = 0;
		word = ptrace(PTRACE_PEEKTEXT, p, target, 0);
		while (!errno && ptrace(PTRACE_POKETEXT, p, target, word) == 0)
			pokes++;
		if (errno != ESRCH)
			bad++;
		MUST(waitpid(killer, &status, 0));
		bad += status != 0;
		MUST(waitpid(p, &status, 0));
		bad += !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL;
	}
	printf("%d of %d went wrong, %s\n", bad, ROUNDS, pokes ? "some were written" : "none was written");
	return 0;
}
