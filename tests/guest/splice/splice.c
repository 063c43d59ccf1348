/* splice: file to pipe, pipe to file, pipe to pipe, sockets, offsets, errors. */
#include "../say.h"
#include <sys/socket.h>
#include <sys/uio.h>
int main(void)
{
	char path[] = "/tmp/spliceXXXXXX", buf[64];
	int f = MUST(mkstemp(path)), p[2], q[2], s[2], o;
	loff_t off = 6, neg = -1;

	unlink(path);
	MUST(write(f, "hello splice world", 18));
	MUST(pipe2(p, O_NONBLOCK));
	MUST(pipe2(q, O_NONBLOCK));
	SAY(splice(f, NULL, p[1], NULL, 100, 0));
	MUST(lseek(f, 0, SEEK_SET));
	SAY(splice(f, NULL, p[1], NULL, 5, 0));
	SAY(lseek(f, 0, SEEK_CUR));
	SAY(splice(f, &off, p[1], NULL, 6, 0));
	printf("%d\n", (int)off);
	SAY(read(p[0], buf, 64));
	printf("%.11s\n", buf);
	MUST(write(p[1], "ABC", 3));
	off = 1;
	SAY(splice(p[0], NULL, f, &off, 2, 0));
	SAY(splice(p[0], NULL, f, NULL, 100, 0));
	SAY(splice(p[0], NULL, f, NULL, 100, 0));
	SAY(pread(f, buf, 64, 0));
	printf("%.18s\n", buf);
	MUST(write(p[1], "12345", 5));
	SAY(splice(p[0], NULL, q[1], NULL, 3, 0));
	SAY(splice(p[0], NULL, q[1], NULL, 3, 0));
	SAY(splice(p[0], NULL, q[1], NULL, 3, 0));
	SAY(read(q[0], buf, 64));
	printf("%.5s\n", buf);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	MUST(write(s[0], "from socket", 11));
	SAY(splice(s[1], NULL, p[1], NULL, 100, 0));
	SAY(splice(s[1], NULL, p[1], NULL, 100, 0));
	SAY(splice(p[0], NULL, s[1], NULL, 4, SPLICE_F_MORE));
	SAY(read(s[0], buf, 64));
	printf("%.4s\n", buf);
	SAY(read(p[0], buf, 64));
	SAY(splice(f, NULL, f, NULL, 5, 0));
	SAY(splice(p[0], NULL, p[1], NULL, 5, 0));
	SAY(splice(p[0], &off, q[1], NULL, 5, 0));
	SAY(splice(p[0], NULL, q[1], &off, 5, 0));
	SAY(splice(f, &neg, p[1], NULL, 5, 0));
	SAY(splice(f, NULL, p[0], NULL, 5, 0));
	SAY(splice(p[1], NULL, f, NULL, 5, 0));
	SAY(splice(f, NULL, p[1], NULL, 5, 0x100));
	SAY(splice(f, NULL, p[1], NULL, 0, 0x100));
	SAY(splice(99, NULL, p[1], NULL, 5, 0));
	SAY(splice(f, NULL, 99, NULL, 5, 0));
	o = MUST(open("/dev/null", O_WRONLY));
	MUST(write(p[1], "gone", 4));
	SAY(splice(p[0], NULL, o, NULL, 100, 0));
	o = fcntl(f, F_GETFL);
	fcntl(f, F_SETFL, O_APPEND);
	MUST(write(p[1], "gone", 4));
	SAY(splice(p[0], NULL, f, NULL, 100, 0));
	close(p[1]);
	SAY(read(p[0], buf, 64));
	SAY(splice(p[0], NULL, q[1], NULL, 5, 0));
	close(q[0]);
	signal(SIGPIPE, SIG_IGN);
	MUST(lseek(f, 0, SEEK_SET));
	SAY(splice(f, NULL, q[1], NULL, 5, 0));
	return 0;
}
