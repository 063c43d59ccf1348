/* /dev/ptmx: locking, the number, the peer, names, ends. */
#include "tests/guest/tty/util.h"
#include <sys/stat.h>
int main(void)
{
	int m = posix_openpt(O_RDWR | O_NOCTTY), s, n, lock;
	char name[64], link[64];
	struct stat st;

	CHECK(m >= 0);
	SHOW(ioctl(m, TIOCGPTLCK, &lock));
	printf("lock %d\n", lock);
	SHOW(ioctl(m, TIOCGPTN, &n) == 0 && n >= 0);
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	CHECK(!strcmp(ptsname(m), name));
	SHOW(open(name, O_RDWR | O_NOCTTY));
	SHOW(grantpt(m));
	SHOW(unlockpt(m));
	s = open(name, O_RDWR | O_NOCTTY);
	CHECK(s >= 0 && isatty(s) && isatty(m));
	CHECK(!strcmp(ttyname(s), name));
	fstat(s, &st);
	printf("mode %o type %d\n", st.st_mode & 07777 & 0700, S_ISCHR(st.st_mode));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", s);
	n = (int)readlink(name, link, sizeof(link) - 1);
	link[n] = 0;
	CHECK(!strcmp(link, ptsname(m)));
	strcpy(name, ptsname(m));
	n = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	CHECK(n >= 0 && isatty(n));
	close(n);
	SHOW(ioctl(s, TIOCGPTN, &n));
	close(s);
	char c;
	SHOW(read(m, &c, 1));
	s = open(name, O_RDWR | O_NOCTTY);
	fcntl(m, F_SETFL, O_NONBLOCK);
	SHOW(read(m, &c, 1));
	close(m);
	SHOW(read(s, &c, 1));
	SHOW(write(s, "x", 1));
	SHOW(tcgetattr(s, &(struct termios){0}));
	SHOW(stat(name, &st));
	SHOW(lseek(s, 0, SEEK_CUR));
	return 0;
}
