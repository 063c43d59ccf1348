/* tee and vmsplice. */
#include "../say.h"
#include <limits.h>
#include <sys/uio.h>
int main(void)
{
	int p[2], q[2];
	char buf[64], *big = malloc(1 << 20);
	struct iovec iov[2] = {{"first ", 6}, {"second", 6}};
	long n, total = 0;

	MUST(pipe2(p, O_NONBLOCK));
	MUST(pipe2(q, O_NONBLOCK));
	SAY(tee(p[0], q[1], 10, 0));
	MUST(write(p[1], "abcdef", 6));
	SAY(tee(p[0], q[1], 4, 0));
	SAY(tee(p[0], q[1], 100, 0));
	SAY(read(q[0], buf, 64));
	printf("%.10s\n", buf);
	SAY(read(p[0], buf, 64));
	printf("%.6s\n", buf);
	SAY(tee(p[0], p[1], 4, 0));
	SAY(tee(p[0], q[0], 4, 0));
	SAY(tee(p[0], 0, 4, 0));
	SAY(tee(p[0], q[1], 0, 0));
	SAY(tee(p[0], q[1], 1, 0x80));
	SAY(tee(99, q[1], 1, 0));
	SAY(vmsplice(p[1], iov, 2, 0));
	SAY(write(p[1], "!", 1));
	SAY(read(p[0], buf, 64));
	printf("%.13s\n", buf);
	SAY(vmsplice(p[0], iov, 2, SPLICE_F_NONBLOCK));
	MUST(write(p[1], "to memory", 9));
	iov[0] = (struct iovec){buf, 4};
	iov[1] = (struct iovec){buf + 10, 30};
	SAY(vmsplice(p[0], iov, 2, 0));
	printf("%.4s %.5s\n", buf, buf + 10);
	memset(big, 'b', 1 << 20);
	iov[0] = (struct iovec){big, 1 << 20};
	SAY(vmsplice(p[1], iov, 1, SPLICE_F_NONBLOCK) <= 65536);
	SAY(vmsplice(p[1], iov, 1, SPLICE_F_NONBLOCK));
	while ((n = read(p[0], big, 1 << 20)) > 0)
		total += n;
	printf("%d\n", total > 60000 && total <= 65536);
	SAY(vmsplice(0, iov, 1, 0));
	SAY(vmsplice(p[1], BAD, 1, 0));
	SAY(vmsplice(p[1], iov, IOV_MAX + 1, 0));
	iov[0].iov_base = BAD;
	SAY(vmsplice(p[1], iov, 1, 0));
	SAY(vmsplice(p[1], iov, 0, 0));
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	MUST(write(q[1], "x", 1));
	SAY(tee(q[0], p[1], 1, 0));
	return 0;
}
