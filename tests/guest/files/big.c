/* Larger files: written, read back, cut, in one process and after a fork. */
#include "tmp.h"
#define MIB (1 << 20)
static unsigned sum(int fd, off_t size)
{
	static unsigned char buf[MIB];
	unsigned h = 2166136261u;

	for (off_t at = 0; at < size;) {
		ssize_t n = pread(fd, buf, sizeof(buf), at);

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			h = (h ^ buf[i]) * 16777619u;
		at += n;
	}
	return h;
}
int main(void)
{
	static unsigned char buf[MIB];
	unsigned x = 1;

	tmp_enter();
	int fd = open("big", O_RDWR | O_CREAT, 0644);
	for (int k = 0; k < 20; k++) {
		for (int i = 0; i < MIB; i++)
			buf[i] = (unsigned char)((x = x * 1103515245u + 12345u) >> 16);
		SHOW(write(fd, buf, sizeof(buf)));
	}
	printf("%08x\n", sum(fd, 20 * MIB));
	SHOW(ftruncate(fd, 5 * MIB + 123));
	printf("%08x\n", sum(fd, 20 * MIB));
	SHOW(ftruncate(fd, 7 * MIB));
	printf("%08x\n", sum(fd, 20 * MIB));
	SHOW(pwrite(fd, "odd", 3, 6 * MIB - 1));
	if (fork() == 0) {
		printf("%08x\n", sum(fd, 20 * MIB));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	show_stat("big");
	return 0;
}
