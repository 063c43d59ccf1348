/* CLONE_FILES and CLONE_FS share, fork copies; unshare separates. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int act(void *arg)
{
	if (arg)
		unshare(CLONE_FILES | CLONE_FS);
	dup2(1, 30);
	chdir("/");
	umask(0123);
	return 0;
}

static void run(const char *what, int flags, void *arg)
{
	char *stack = malloc(65536), cwd[64];
	mode_t m;
	pid_t pid;

	close(30);
	chdir("/tmp");
	umask(022);
	pid = clone(act, stack + 65536, flags | SIGCHLD, arg);
	waitpid(pid, NULL, 0);
	m = umask(022);
	printf("%s: fd 30 %d cwd %s umask %03o\n", what, fcntl(30, F_GETFD) >= 0, getcwd(cwd, sizeof(cwd)), m);
	free(stack);
}

int main(void)
{
	run("copy", 0, NULL);
	run("files", CLONE_FILES, NULL);
	run("fs", CLONE_FS, NULL);
	run("both", CLONE_FILES | CLONE_FS, NULL);
	run("both, then unshared", CLONE_FILES | CLONE_FS, (void *)1);
	return 0;
}
