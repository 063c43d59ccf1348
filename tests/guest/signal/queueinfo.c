/* rt_sigqueueinfo: forged codes are refused for others, a caller may write himself anything. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	siginfo_t si, got;
	sigset_t m;
	pid_t pid;

	sigemptyset(&m);
	sigaddset(&m, SIGUSR1);
	sigprocmask(SIG_BLOCK, &m, NULL);
	memset(&si, 0, sizeof(si));
	si.si_code = SI_USER;
	si.si_pid = 4321;
	printf("self as user: %ld\n", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &si));
	sigwaitinfo(&m, &got);
	printf("pid %d code %d\n", got.si_pid, got.si_code);
	pid = fork();
	if (!pid) {
		sigwaitinfo(&m, &got);
		printf("child: code %d value %d\n", got.si_code, got.si_value.sival_int);
		fflush(stdout);
		_exit(0);
	}
	{
		long r_ = syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &si);

		printf("other as user: %ld %s\n", r_, strerror(errno));
	}
	si.si_code = SI_TKILL;
	{
		long r_ = syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &si);

		printf("other as tkill: %ld %s\n", r_, strerror(errno));
	}
	fflush(stdout);
	si.si_code = SI_QUEUE;
	si.si_value.sival_int = 17;
	syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &si);
	wait(NULL);
	si.si_code = -77;
	printf("thread: %ld\n", syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &si));
	sigwaitinfo(&m, &got);
	printf("code %d\n", got.si_code);
	return 0;
}
