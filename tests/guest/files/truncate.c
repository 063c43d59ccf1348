/* truncate(2), ftruncate(2), RLIMIT_FSIZE and SIGXFSZ. */
#include "fs.h"
#include <sys/resource.h>

static volatile int xfsz;
static void on_xfsz(int signo)
{
	(void)signo;
	xfsz++;
}

int main(void)
{
	struct rlimit lim = {100, RLIM_INFINITY};
	char buf[200];
	int fd, r;

	fs_enter();
	fs_make("f", "0123456789");
	mkdir("d", 0755);
	T(truncate("f", 5));
	fs_cat("f");
	T(truncate("f", 8));
	fd = open("f", O_RDWR);
	lseek(fd, 0, SEEK_SET);
	T(read(fd, buf, sizeof(buf)));
	for (int i = 0; i < 8; i++)
		printf("%02x ", (unsigned char)buf[i]);
	printf("\n");
	T(truncate("f", -1));
	T(truncate("none", 1));
	T(truncate("d", 1));
	T(truncate("f/x", 1));
	T(truncate("", 1));
	T(ftruncate(fd, -1));
	T(ftruncate(fd, 1 << 20));
	fs_show("f");
	T(pread(fd, buf, 10, (1 << 20) - 4));
	r = open("f", O_RDONLY);
	T(ftruncate(r, 0));
	T(ftruncate(-1, 0));
	T(ftruncate(open("d", O_RDONLY), 0));
	mkfifo("p", 0600);
	T(truncate("p", 0));
	T(ftruncate(fd, 0));
	lseek(fd, 0, SEEK_SET);
	signal(SIGXFSZ, on_xfsz);
	memset(buf, 'x', sizeof(buf));
	T(setrlimit(RLIMIT_FSIZE, &lim));
	T(write(fd, buf, 90));
	T(pwrite(fd, buf, 50, 90));
	T(pwrite(fd, buf, 50, 100));
	printf("signals %i\n", xfsz);
	T(ftruncate(fd, 101));
	printf("signals %i\n", xfsz);
	T(ftruncate(fd, 100));
	T(truncate("f", 50));
	T(pwrite(fd, buf, 1, 200));
	printf("signals %i\n", xfsz);
	fs_show("f");
	return 0;
}
