#include "tests/guest/show.h"
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
/* Prints bytes so that every one is seen. */
__attribute__((unused)) static void bytes(const char *what, const char *b, ssize_t n)
{
	printf("%s (%zd):", what, n);
	if (n < 0)
		printf(" %s", strerrorname_np(errno));
	for (ssize_t i = 0; i < n; i++)
		printf(b[i] >= 0x20 && b[i] < 0x7f ? " %c" : " %02x", (unsigned char)b[i]);
	putchar('\n');
	fflush(stdout);
}
/* Everything that comes within 100 ms. */
__attribute__((unused)) static void drain(const char *what, int fd)
{
	char buf[8192];
	ssize_t n = 0;
	struct pollfd p = {fd, POLLIN, 0};

	while (n < (ssize_t)sizeof(buf) && poll(&p, 1, 100) > 0 && p.revents & POLLIN) {
		ssize_t r = read(fd, buf + n, sizeof(buf) - (size_t)n);

		if (r <= 0)
			break;
		n += r;
	}
	bytes(what, buf, n);
}
__attribute__((unused)) static void put(int fd, const char *s)
{
	write(fd, s, strlen(s));
	usleep(20000); /* Linux passes input on later */
}
__attribute__((unused)) static void get(const char *what, int fd, size_t max)
{
	char buf[8192];

	bytes(what, buf, read(fd, buf, max));
}
__attribute__((unused)) static void pair(int *m, int *s)
{
	if (openpty(m, s, NULL, NULL, NULL)) {
		perror("openpty");
		exit(77);
	}
}
