/* /proc of a program after exec: exe, comm, cmdline, environ. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show(const char *file)
{
	char buf[512];
	int fd = open(file, O_RDONLY);
	ssize_t n = read(fd, buf, sizeof(buf));

	printf("%s:", strrchr(file, '/') + 1);
	for (ssize_t i = 0; i < n; i++)
		putchar(buf[i] ? buf[i] : '|');
	putchar('\n');
	close(fd);
}

int main(int argc, char **argv)
{
	char exe[256] = {0};

	if (argc == 1) {
		char *args[] = {"a name that is long", "arg two", "", NULL}, *env[] = {"X=1", "YY=22", NULL};

		execve("/proc/self/exe", args, env);
		return 1;
	}
	readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	printf("exe %s\n", strrchr(exe, '/') + 1);
	show("/proc/self/comm");
	show("/proc/self/cmdline");
	show("/proc/self/environ");
	return 0;
}
