/* More than the buffers hold, both ways, and poll. */
#include "tests/guest/tty/util.h"
int main(void)
{
	static char big[100000], got[100000];
	struct termios t;
	struct pollfd p;
	size_t n = 0;
	ssize_t r;
	int m, s;

	pair(&m, &s);
	tcgetattr(s, &t);
	cfmakeraw(&t);
	tcsetattr(s, TCSANOW, &t);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 251);
	p = (struct pollfd){s, POLLIN | POLLOUT, 0};
	poll(&p, 1, 0);
	printf("%x\n", p.revents & (POLLIN | POLLOUT | POLLHUP));
	if (!fork()) {
		write(s, big, sizeof(big));
		_exit(0);
	}
	while (n < sizeof(got) && (r = read(m, got + n, sizeof(got) - n)) > 0)
		n += (size_t)r;
	wait(NULL);
	CHECK(n == sizeof(big) && !memcmp(big, got, n));
	if (!fork()) {
		size_t o = 0;
		while (o < sizeof(big) && (r = write(m, big + o, sizeof(big) - o)) > 0)
			o += (size_t)r;
		_exit(0);
	}
	n = 0;
	memset(got, 0, sizeof(got));
	while (n < sizeof(got) && (r = read(s, got + n, sizeof(got) - n)) > 0)
		n += (size_t)r;
	wait(NULL);
	CHECK(n == sizeof(big) && !memcmp(big, got, n));
	write(m, "z", 1);
	p = (struct pollfd){s, POLLIN, 0};
	poll(&p, 1, 1000);
	printf("%x\n", p.revents);
	close(s);
	p = (struct pollfd){m, POLLIN, 0};
	poll(&p, 1, 1000);
	printf("%x\n", p.revents & POLLHUP);
	return 0;
}
