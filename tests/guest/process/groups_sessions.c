/* setpgid, setsid and their errors. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *err(int r)
{
	return r < 0 ? strerror(errno) : "ok";
}

int main(void)
{
	int status, fds[2];
	char c;
	pid_t pid;

	if (fork()) {
		wait(&status);
		return WEXITSTATUS(status);
	}
	printf("setpgid self %s\n", err(setpgid(0, 0)));
	printf("leader %d\n", getpgrp() == getpid());
	printf("setsid of a group leader: %s\n", err(setsid()));
	printf("setpgid negative: %s\n", err(setpgid(0, -1)));
	printf("setpgid nobody: %s\n", err(setpgid(999999, 0)));
	printf("setpgid to a missing group: %s\n", err(setpgid(0, 999998)));
	printf("getpgid nobody: %s\n", err(getpgid(999999)));
	pipe(fds);
	pid = fork();
	if (!pid) {
		read(fds[0], &c, 1);
		printf("moved by the parent %d\n", getpgrp() == getpid());
		printf("session new: %s\n", err(setsid()));
		fflush(stdout);
		_exit(0);
	}
	printf("setpgid child %s\n", err(setpgid(pid, pid)));
	setpgid(pid, 0);
	printf("child group %d\n", getpgid(pid) == pid);
	fflush(stdout);
	write(fds[1], "x", 1);
	wait(&status);
	pid = fork();
	if (!pid) {
		printf("session %s\n", err(setsid()));
		printf("sid %d pgid %d\n", getsid(0) == getpid(), getpgid(0) == getpid());
		printf("leader cannot move: %s\n", err(setpgid(0, 0)));
		fflush(stdout);
		_exit(0);
	}
	wait(&status);
	pid = fork();
	if (!pid) {
		execl("/bin/sleep", "sleep", "0.3", NULL);
		_exit(1);
	}
	usleep(100000);
	printf("after exec: %s\n", err(setpgid(pid, pid)));
	wait(&status);
	return 0;
}
