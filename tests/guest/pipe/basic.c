/* Bytes through a pipe: order, short reads, end of file, errors of the wrong end. */
#include "../say.h"
#include <sys/ioctl.h>
#include <sys/stat.h>
int main(void)
{
	int p[2], n;
	char buf[64];
	struct stat st, st2;

	SAY(pipe(p));
	SAY(write(p[1], "hello ", 6));
	SAY(write(p[1], "world", 5));
	SAY(ioctl(p[0], FIONREAD, &n));
	printf("%d\n", n);
	SAY(read(p[0], buf, 3));
	SAY(read(p[0], buf + 3, 60));
	printf("%.11s\n", buf);
	SAY(read(p[0], buf, 0));
	SAY(write(p[1], buf, 0));
	SAY(read(p[1], buf, 1));
	SAY(write(p[0], buf, 1));
	SAY(lseek(p[0], 0, SEEK_SET));
	SAY(pread(p[0], buf, 1, 0));
	SAY(pwrite(p[1], buf, 1, 0));
	SAY(ftruncate(p[1], 0));
	MUST(fstat(p[0], &st));
	MUST(fstat(p[1], &st2));
	printf("%o %d %d\n", st.st_mode, st.st_ino == st2.st_ino, (int)st.st_size);
	SAY(write(p[1], "x", 1));
	close(p[1]);
	SAY(read(p[0], buf, 9));
	SAY(read(p[0], buf, 9));
	close(p[0]);
	SAY(pipe2(p, 0x12345));
	SAY(pipe(BAD));
	SAY(pipe2(p, O_CLOEXEC | O_NONBLOCK));
	printf("%d %d\n", fcntl(p[0], F_GETFD), fcntl(p[1], F_GETFD));
	printf("%x %x\n", fcntl(p[0], F_GETFL), fcntl(p[1], F_GETFL));
	SAY(read(p[0], buf, 1));
	SAY(read(p[0], BAD, 1));
	SAY(write(p[1], BAD, 1));
	SAY(write(p[1], "abc", 3));
	SAY(read(p[0], BAD, 1));
	SAY(read(p[0], buf, 9));
	return 0;
}
