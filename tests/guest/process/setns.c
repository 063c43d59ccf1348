/* setns by a pidfd: into a child's UTS namespace and back. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(const char *what, long r)
{
	printf("%s: %ld %s\n", what, r, r < 0 ? strerror(errno) : "");
}

int main(void)
{
	char name[65], c;
	int ready[2], fd, self;
	pid_t pid;

	if (unshare(CLONE_NEWUTS) < 0)
		return 77;
	sethostname("outer", 5);
	pipe(ready);
	pid = fork();
	if (!pid) {
		unshare(CLONE_NEWUTS);
		sethostname("inner", 5);
		write(ready[1], "r", 1);
		pause();
		_exit(0);
	}
	read(ready[0], &c, 1);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (setns(fd, CLONE_NEWUTS) < 0 && errno == EPERM) {
		kill(pid, SIGKILL);
		return 77;
	}
	gethostname(name, sizeof(name));
	printf("joined: %s\n", name);
	check("self", setns(self, CLONE_NEWUTS));
	check("no flags", setns(fd, 0));
	check("not a namespace", setns(ready[0], CLONE_NEWUTS));
	check("bad descriptor", setns(-1, CLONE_NEWUTS));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check("gone", setns(fd, CLONE_NEWUTS));
	return 0;
}
