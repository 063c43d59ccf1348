/* sendfile: to files, pipes and sockets, with and without an offset. */
#include "../say.h"
#include <sys/sendfile.h>
#include <sys/socket.h>
int main(void)
{
	char path[] = "/tmp/sendfileXXXXXX", path2[] = "/tmp/sendfileXXXXXX";
	static char big[1 << 20], back[1 << 20];
	int f = MUST(mkstemp(path)), g = MUST(mkstemp(path2)), p[2], s[2], status;
	off_t off = 3, neg = -5;
	long done = 0, n;

	unlink(path);
	unlink(path2);
	for (int i = 0; i < 1 << 20; i++)
		big[i] = (char)(i * 11 + (i >> 12));
	MUST(write(f, big, sizeof(big)));
	SAY(sendfile(g, f, NULL, 100));
	MUST(lseek(f, 10, SEEK_SET));
	SAY(sendfile(g, f, NULL, 1000));
	printf("%ld %ld\n", (long)lseek(f, 0, SEEK_CUR), (long)lseek(g, 0, SEEK_CUR));
	SAY(sendfile(g, f, &off, 1 << 30));
	printf("%ld %ld\n", (long)off, (long)lseek(f, 0, SEEK_CUR));
	SAY(pread(g, back, 1 << 20, 0));
	printf("%d %d\n", memcmp(back, big + 10, 1000), memcmp(back + 1000, big + 3, (1 << 20) - 1000));
	SAY(sendfile(g, f, &neg, 10));
	SAY(sendfile(g, f, NULL, 0));
	SAY(sendfile(g, 99, NULL, 10));
	SAY(sendfile(99, f, NULL, 10));
	SAY(sendfile(g, f, BAD, 10));
	MUST(pipe(p));
	off = 0;
	SAY(sendfile(p[1], f, &off, 1000));
	SAY(read(p[0], back, 4096));
	SAY(sendfile(f, p[0], NULL, 10));
	SAY(sendfile(p[0], f, NULL, 10));
	fcntl(g, F_SETFL, O_APPEND);
	SAY(sendfile(g, f, &off, 10));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	SAY(sendfile(g, s[0], NULL, 10));
	fflush(stdout);
	if (!MUST(fork())) {
		close(s[0]);
		while ((n = read(s[1], back + done, sizeof(back) - (size_t)done)) > 0)
			done += n;
		_exit(done == 1 << 20 && !memcmp(big, back, 1 << 20) ? 0 : 1);
	}
	close(s[1]);
	off = 0;
	SAY(sendfile(s[0], f, &off, 1 << 20));
	close(s[0]);
	wait(&status);
	say_exit(status);
	return 0;
}
