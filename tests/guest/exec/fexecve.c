/* execveat(2): by descriptor, relative to a directory, with its flags. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void run(const char *what, int dirfd, const char *path, int flags)
{
	char *args[] = {"echo", "ran", NULL};
	int status;

	printf("%s: ", what);
	fflush(stdout);
	if (fork() == 0) {
		syscall(SYS_execveat, dirfd, path, args, environ, flags);
		printf("%s\n", strerror(errno));
		fflush(stdout);
		_exit(1);
	}
	wait(&status);
}

int main(void)
{
	int bin = open("/bin", O_PATH | O_DIRECTORY), echo = open("/bin/echo", O_RDONLY | O_CLOEXEC);
	int path = open("/bin/echo", O_PATH);

	symlink("/bin/echo", "/tmp/sbx-fexecve");
	run("relative", bin, "echo", 0);
	run("absolute", -1, "/bin/echo", 0);
	run("by descriptor", echo, "", AT_EMPTY_PATH);
	run("by O_PATH", path, "", AT_EMPTY_PATH);
	run("empty without the flag", echo, "", 0);
	run("symlink", AT_FDCWD, "/tmp/sbx-fexecve", 0);
	run("symlink refused", AT_FDCWD, "/tmp/sbx-fexecve", AT_SYMLINK_NOFOLLOW);
	run("bad descriptor", 99, "echo", 0);
	run("not a directory", echo, "x", 0);
	run("unknown flag", bin, "echo", 0x40);
	unlink("/tmp/sbx-fexecve");
	return 0;
}
