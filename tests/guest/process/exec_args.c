/* execve: arguments and environment arrive, E2BIG, and errors of what cannot be run. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void try(const char *what, const char *path, char *const *argv)
{
	char *env[] = {NULL};

	execve(path, argv, env);
	printf("%s: %s\n", what, strerror(errno));
}

int main(int argc, char **argv)
{
	char *args[] = {"x", NULL}, *env[] = {"A=1", "B=two", NULL}, path[64];
	int status, fd;
	pid_t pid;

	if (argc > 1 && !strcmp(argv[1], "child")) {
		for (int i = 0; i < argc; i++)
			printf("argv[%d]=%s\n", i, i ? argv[i] : "self");
		printf("A=%s B=%s\n", getenv("A"), getenv("B"));
		return 0;
	}
	try("missing", "/nonexistent", args);
	try("directory", "/tmp", args);
	try("empty path", "", args);
	snprintf(path, sizeof(path), "/tmp/exec_args.%d", getpid());
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	write(fd, "hello\n", 6);
	close(fd);
	try("no x bit", path, args);
	chmod(path, 0755);
	try("no format", path, args);
	fd = open(path, O_WRONLY);
	try("busy", path, args);
	close(fd);
	fd = open(path, O_WRONLY | O_TRUNC);
	write(fd, "#!/nonexistent/interp\n", 22);
	close(fd);
	try("no interpreter", path, args);
	fd = open(path, O_WRONLY | O_TRUNC);
	dprintf(fd, "#!/bin/sh\necho script $0 $1 | sed 's/exec_args[^ ]*/NAME/'\n");
	close(fd);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		char *sargs[] = {"ignored", "one", NULL}, *senv[] = {"PATH=/usr/bin:/bin", NULL};

		execve(path, sargs, senv);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	unlink(path);
	{
		char *big = malloc(200 * 1024), *bargs[] = {"x", big, NULL};

		memset(big, 'a', 200 * 1024 - 1);
		big[200 * 1024 - 1] = 0;
		try("one long argument", "/bin/true", bargs);
	}
	fflush(stdout);
	pid = fork();
	if (!pid) {
		char *cargs[] = {argv[0], "child", "", "with space", NULL};

		execve("/proc/self/exe", cargs, env);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	printf("status %d\n", status);
	fd = open("/bin/echo", O_RDONLY | O_CLOEXEC);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		char *eargs[] = {"echo", "by descriptor", NULL};

		execveat(fd, "", eargs, env, AT_EMPTY_PATH);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	printf("status %d\n", status);
	return 0;
}
