/* "#!": arguments, nesting, a name with blanks in the line. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void script(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0700);

	write(fd, text, strlen(text));
	fchmod(fd, 0700);
	close(fd);
}

static void run(const char *name, char *const *argv)
{
	int status;
	char *env[] = {"PATH=/usr/bin:/bin", NULL};

	fflush(stdout);
	if (fork() == 0) {
		execve(name, argv, env);
		printf("%s: %s\n", name, strerror(errno));
		fflush(stdout);
		_exit(1);
	}
	wait(&status);
	printf("status %d\n", WEXITSTATUS(status));
}

int main(void)
{
	char *args[] = {"zero", "one", "two words", NULL}, line[256];

	mkdir("/tmp/sbx-scripts", 0700);
	chdir("/tmp/sbx-scripts");
	script("a", "#!/bin/sh\necho \"$0\" \"$#\" \"$1\" \"$2\"\n");
	run("./a", args);
	run("/tmp/sbx-scripts/a", args);
	script("b", "#! /bin/echo   one argument with blanks  \n");
	run("./b", args);
	script("c", "#!/tmp/sbx-scripts/b from c\n");
	run("./c", args);
	script("d", "#!/usr/bin/env sh\nexit 7\n");
	run("./d", args);
	script("e", "#!/bin/echo");
	run("./e", args);
	script("n0", "#!/bin/echo deep\n");
	for (int i = 1; i < 8; i++) {
		char name[8];

		snprintf(name, sizeof(name), "n%d", i);
		snprintf(line, sizeof(line), "#!/tmp/sbx-scripts/n%d\n", i - 1);
		script(name, line);
		snprintf(name, sizeof(name), "./n%d", i);
		run(name, args);
	}
	return system("rm -rf /tmp/sbx-scripts");
}
