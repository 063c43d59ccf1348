/* sendfile, splice and vectors into and out of TCP sockets. */
#include "net.h"
#include <sys/mman.h>
#include <sys/sendfile.h>

int main(void)
{
	static char buf[300000], got[300000];
	int s[2], p[2], f = (int)MUST(memfd_create("file", 0));
	struct iovec v[3] = {{"one", 3}, {"two", 3}, {"three", 5}};
	off_t off = 100;
	size_t done = 0;
	ssize_t n;

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)(i * 7);
	MUST(write(f, buf, sizeof(buf)));
	tcp_pair(AF_INET, s);
	if (!MUST(fork())) {
		while (off < (off_t)sizeof(buf))
			MUST(sendfile(s[0], f, &off, sizeof(buf)));
		MUST(shutdown(s[0], SHUT_WR));
		_exit(0);
	}
	while ((n = recv(s[1], got + done, sizeof(got) - done, 0)) > 0)
		done += (size_t)n;
	wait(NULL);
	printf("%zu %s\n", done, memcmp(got, buf + 100, done) ? "differ" : "equal");
	close(s[0]);
	close(s[1]);
	tcp_pair(AF_INET, s);
	MUST(pipe(p));
	SAY(write(p[1], "through a pipe", 14));
	SAY(splice(p[0], NULL, s[0], NULL, 14, 0));
	SAY(recv(s[1], got, 100, 0));
	printf("%.14s\n", got);
	SAY(send(s[0], "back to a pipe", 14, 0));
	usleep(10000);
	SAY(splice(s[1], NULL, p[1], NULL, 100, 0));
	SAY(read(p[0], got, 100));
	printf("%.14s\n", got);
	SAY(writev(s[0], v, 3));
	usleep(10000);
	v[0].iov_base = got;
	v[1].iov_base = got + 10;
	SAY(readv(s[1], v, 2));
	printf("%.3s %.3s\n", got, got + 10);
	MUST(fcntl(s[1], F_SETFL, O_NONBLOCK));
	SAY(splice(s[1], NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK));
	SAY(splice(s[1], NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK));
	close(s[0]);
	SAY(splice(s[1], NULL, p[1], NULL, 100, 0));
	return 0;
}
