/* Events of fork, vfork, clone, exec and exit; SEIZE and INTERRUPT; ATTACH and DETACH. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void *thread(void *arg)
{
	return arg;
}

static void child(void)
{
	pthread_t t;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(1);
	waitpid(pid, NULL, 0);
	pid = vfork();
	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(9);
	}
	waitpid(pid, NULL, 0);
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	_exit(3);
}

int main(void)
{
	int status, count[20] = {0}, newborn = 0;
	pid_t pid, p;
	siginfo_t si;

	setvbuf(stdout, NULL, _IOLBF, 0);
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		child();
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, 0,
	       PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
		       PTRACE_O_TRACEEXIT | PTRACE_O_TRACEVFORKDONE | PTRACE_O_EXITKILL);
	ptrace(PTRACE_CONT, pid, 0, 0);
	while ((p = waitpid(-1, &status, __WALL)) > 0) {
		int sig;

		if (!WIFSTOPPED(status)) {
			if (p == pid)
				printf("main exit %d\n", WEXITSTATUS(status));
			continue;
		}
		sig = WSTOPSIG(status);
		if (status >> 16) {
			count[status >> 16]++;
			sig = 0;
		} else if (sig == SIGSTOP && p != pid) {
			newborn++;
			sig = 0;
		}
		ptrace(PTRACE_CONT, p, 0, sig == SIGTRAP ? 0 : sig);
	}
	printf("fork %d vfork %d clone %d exec %d vfork done %d exit %d newborn %d\n", count[PTRACE_EVENT_FORK],
	       count[PTRACE_EVENT_VFORK], count[PTRACE_EVENT_CLONE], count[PTRACE_EVENT_EXEC],
	       count[PTRACE_EVENT_VFORK_DONE], count[PTRACE_EVENT_EXIT], newborn);

	pid = fork();
	if (!pid)
		for (volatile long n = 0;; n++)
			;
	printf("seize %ld\n", ptrace(PTRACE_SEIZE, pid, 0, 0));
	printf("interrupt %ld\n", ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	waitpid(pid, &status, 0);
	printf("stop %#x\n", status >> 8);
	printf("detach %ld\n", ptrace(PTRACE_DETACH, pid, 0, 0));
	printf("attach %ld\n", ptrace(PTRACE_ATTACH, pid, 0, 0));
	waitpid(pid, &status, 0);
	printf("stop %#x\n", status >> 8);
	{
		long r_ = ptrace(PTRACE_ATTACH, pid, 0, 0);

		printf("again: %ld %s\n", r_, strerror(errno));
	}
	ptrace(PTRACE_GETSIGINFO, pid, 0, &si);
	printf("signal %d\n", si.si_signo);
	kill(pid, SIGTERM);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	printf("TERM seen first %d\n", WIFSTOPPED(status) && WSTOPSIG(status) == SIGTERM);
	ptrace(PTRACE_CONT, pid, 0, 0);
	usleep(20000);
	printf("suppressed %d\n", waitpid(pid, &status, WNOHANG) == 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	printf("killed %d\n", WTERMSIG(status));
	return 0;
}
