/* A tracer and its child: TRACEME, stops of signals and exec, registers, memory, calls changed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile long word = 1111;

int main(void)
{
	struct user_regs_struct r;
	siginfo_t si;
	int status, entries = 0, writes = 0;
	long v;
	pid_t pid = fork();

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		if (word == 2222)
			syscall(SYS_write, 1, "poked\n", 6);
		v = syscall(SYS_getppid);
		_exit(v == 4321 ? 5 : 6);
	}
	waitpid(pid, &status, 0);
	printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
	errno = 0;
	v = ptrace(PTRACE_PEEKDATA, pid, &word, 0);
	printf("peek %ld\n", v);
	printf("poke %ld\n", ptrace(PTRACE_POKEDATA, pid, &word, 2222));
	printf("our own %ld\n", word);
	ptrace(PTRACE_GETSIGINFO, pid, 0, &si);
	printf("siginfo %d\n", si.si_signo);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			break;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			printf("other stop %d\n", WSTOPSIG(status));
			continue;
		}
		ptrace(PTRACE_GETREGS, pid, 0, &r);
		entries++;
		if (r.orig_rax == SYS_write && (long)r.rax == -ENOSYS)
			writes++;
		if (r.orig_rax == SYS_getppid && (long)r.rax != -ENOSYS) {
			printf("getppid returned its parent %d\n", (pid_t)r.rax == getpid());
			r.rax = 4321;
			ptrace(PTRACE_SETREGS, pid, 0, &r);
		}
	}
	printf("stops %d, writes %d, exit %d\n", entries >= 4, writes, WEXITSTATUS(status));
	printf("gone: %ld", ptrace(PTRACE_PEEKDATA, pid, &word, 0));
	printf(" %s\n", strerror(errno));
	return 0;
}
