/* pidfd_open, poll, waitid P_PIDFD, pidfd_send_signal, pidfd_getfd, CLONE_PIDFD. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int main(void)
{
	int fds[2], fd, dup, status, pidfd = -1;
	struct pollfd p;
	siginfo_t si;
	char buf[8] = {0};
	pid_t pid;

	pipe(fds);
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	printf("open %d cloexec %d\n", fd >= 0, fcntl(fd, F_GETFD));
	p = (struct pollfd){fd, POLLIN, 0};
	printf("poll %d\n", poll(&p, 1, 0));
	dup = (int)syscall(SYS_pidfd_getfd, fd, fds[1], 0);
	printf("getfd %d\n", dup >= 0);
	write(dup, "hi", 2);
	read(fds[0], buf, 2);
	printf("read %s\n", buf);
	printf("sig 0: %ld\n", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	{
		long r_ = syscall(SYS_pidfd_send_signal, fd, 99, NULL, 0);

		printf("bad sig: %ld %s\n", r_, strerror(errno));
	}
	printf("kill: %ld\n", syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
	printf("poll %d %#x\n", poll(&p, 1, 5000), p.revents & POLLIN);
	printf("waitid %d", waitid(P_PIDFD, fd, &si, WEXITED));
	printf(" pid %d status %d\n", si.si_pid == pid, si.si_status);
	{
		long r_ = syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);

		printf("reaped: %ld %s\n", r_, strerror(errno));
	}
	{
		long r_ = waitid(P_PIDFD, fd, &si, WEXITED);

		printf("waitid %d %s\n", (int)r_, strerror(errno));
	}
	close(fd);
	{
		long r_ = syscall(SYS_pidfd_open, 999999, 0);

		printf("nobody: %ld %s\n", r_, strerror(errno));
	}
	{
		long r_ = syscall(SYS_pidfd_open, -1, 0);

		printf("negative: %ld %s\n", r_, strerror(errno));
	}
	{
		long r_ = syscall(SYS_pidfd_send_signal, 0, 0, NULL, 0);

		printf("not a pidfd: %ld %s\n", r_, strerror(errno));
	}
	pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
	if (!pid)
		_exit(2);
	printf("clone pidfd %d\n", pidfd >= 0);
	printf("waitid %d", waitid(P_PIDFD, pidfd, &si, WEXITED));
	printf(" status %d\n", si.si_status);
	(void)status;
	return 0;
}
