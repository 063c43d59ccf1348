/* Breakpoints in program text and single steps. */
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) static int target(int x)
{
	__asm__ volatile("" ::: "memory");
	return x * 3;
}

int main(void)
{
	struct user_regs_struct r;
	unsigned long start = (unsigned long)target;
	int status, steps = 0;
	long text;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(target(7) + target(1));
	}
	waitpid(pid, &status, 0);
	text = ptrace(PTRACE_PEEKTEXT, pid, start, 0);
	printf("poke text %ld\n", ptrace(PTRACE_POKETEXT, pid, start, (text & ~0xffL) | 0xcc));
	for (int i = 0; i < 2; i++) {
		ptrace(PTRACE_CONT, pid, 0, 0);
		waitpid(pid, &status, 0);
		ptrace(PTRACE_GETREGS, pid, 0, &r);
		printf("hit %d sig %d at %ld arg %lld\n", WIFSTOPPED(status), WSTOPSIG(status), (long)(r.rip - start),
		       r.rdi);
		r.rip = start;
		ptrace(PTRACE_SETREGS, pid, 0, &r);
		ptrace(PTRACE_POKETEXT, pid, start, text);
		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
		waitpid(pid, &status, 0);
		ptrace(PTRACE_GETREGS, pid, 0, &r);
		printf("stepped sig %d moved %d\n", WSTOPSIG(status), r.rip != start && r.rip - start < 16);
		ptrace(PTRACE_POKETEXT, pid, start, (text & ~0xffL) | 0xcc);
	}
	ptrace(PTRACE_POKETEXT, pid, start, text);
	while (steps < 50) {
		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
			break;
		steps++;
	}
	printf("many steps %d\n", steps > 5);
	if (WIFSTOPPED(status)) {
		ptrace(PTRACE_CONT, pid, 0, 0);
		waitpid(pid, &status, 0);
	}
	printf("exit %d\n", WEXITSTATUS(status));
	return 0;
}
