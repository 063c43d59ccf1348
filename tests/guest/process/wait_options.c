/* wait4 and waitid: WNOHANG, WNOWAIT, WUNTRACED, WCONTINUED, P_PGID, rusage, errors. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int status, fds[2];
	siginfo_t si;
	struct rusage ru;
	pid_t pid;
	char c;

	pipe(fds);
	pid = fork();
	if (!pid) {
		close(fds[1]);
		read(fds[0], &c, 1);
		_exit(5);
	}
	close(fds[0]);
	printf("nohang %d\n", waitpid(pid, &status, WNOHANG));
	memset(&si, 0xff, sizeof(si));
	printf("waitid nohang %d pid %d signo %d\n", waitid(P_PID, pid, &si, WEXITED | WNOHANG), si.si_pid,
	       si.si_signo);
	kill(pid, SIGSTOP);
	printf("stopped %d", waitpid(pid, &status, WUNTRACED) == pid);
	printf(" WIFSTOPPED %d sig %d\n", WIFSTOPPED(status), WSTOPSIG(status));
	printf("reported once %d\n", waitpid(pid, &status, WUNTRACED | WNOHANG));
	kill(pid, SIGCONT);
	printf("continued %d", waitid(P_PID, pid, &si, WCONTINUED) == 0);
	printf(" code %d status %d\n", si.si_code == CLD_CONTINUED, si.si_status == SIGCONT);
	close(fds[1]);
	printf("nowait %d", waitid(P_PID, pid, &si, WEXITED | WNOWAIT));
	printf(" pid %d code %d status %d uid ok %d\n", si.si_pid == pid, si.si_code, si.si_status,
	       si.si_uid == getuid());
	printf("again %d\n", waitid(P_PGID, 0, &si, WEXITED | WNOWAIT));
	printf("wait4 %d exit %d\n", wait4(pid, &status, 0, &ru) == pid, WEXITSTATUS(status));
	printf("utime sane %d\n", ru.ru_utime.tv_sec < 10);
	{
		long r_ = waitpid(pid, &status, 0);

		printf("gone %d %s\n", (int)r_, strerror(errno));
	}
	{
		long r_ = waitid(P_ALL, 0, &si, 0);

		printf("bad option %d %s\n", (int)r_, strerror(errno));
	}
	{
		long r_ = wait4(-1, &status, 0x40, NULL);

		printf("bad flag %d %s\n", (int)r_, strerror(errno));
	}
	pid = fork();
	if (!pid) {
		kill(getpid(), SIGKILL);
		_exit(0);
	}
	waitid(P_ALL, 0, &si, WEXITED);
	printf("killed code %d status %d\n", si.si_code == CLD_KILLED, si.si_status);
	return 0;
}
