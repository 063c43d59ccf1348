/* A shell on a pty, as terminal programs start one. */
#include "tests/guest/tty/util.h"
int main(void)
{
	struct winsize w = {30, 100, 0, 0};
	char buf[4096];
	size_t n = 0;
	ssize_t r;
	int m, pid, st;

	fflush(stdout);
	pid = forkpty(&m, NULL, NULL, &w);
	if (pid < 0)
		return 77;
	if (!pid) {
		execl("/bin/sh", "sh", "-c", "stty size; tty >/dev/null && echo is a tty; read x; echo got $x", NULL);
		_exit(127);
	}
	write(m, "input\n", 6);
	while (n < sizeof(buf) && (r = read(m, buf + n, sizeof(buf) - n)) > 0)
		n += (size_t)r;
	waitpid(pid, &st, 0);
	printf("status %d\n", WEXITSTATUS(st));
	buf[n] = 0;
	CHECK(strstr(buf, "30 100\r\n") != NULL);
	CHECK(strstr(buf, "is a tty\r\n") != NULL);
	CHECK(strstr(buf, "got input\r\n") != NULL);
	return 0;
}
