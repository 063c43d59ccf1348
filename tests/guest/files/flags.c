/* fcntl(2): status flags, O_PATH, owners, unknown commands. */
#include "fs.h"
#include <sys/ioctl.h>

int main(void)
{
	int fd, p, one = 1, zero = 0, left = -1;
	struct f_owner_ex o = {F_OWNER_PID, 0};

	fs_enter();
	fs_make("f", "0123456789");
	fd = open("f", O_RDWR | O_CREAT | O_NONBLOCK | O_SYNC, 0644);
	printf("%o\n", fcntl(fd, F_GETFL));
	T(fcntl(fd, F_SETFL, O_APPEND | O_RDONLY | O_TRUNC));
	printf("%o\n", fcntl(fd, F_GETFL));
	T(ioctl(fd, FIONBIO, &one));
	printf("%o\n", fcntl(fd, F_GETFL));
	T(ioctl(fd, FIONBIO, &zero));
	printf("%o\n", fcntl(fd, F_GETFL));
	T(ioctl(fd, FIONBIO, NULL));
	T(lseek(fd, 4, SEEK_SET));
	T(ioctl(fd, FIONREAD, &left));
	printf("left %i\n", left);
	T(ioctl(fd, 0x12345678, &left));
	T(ioctl(-1, FIONREAD, &left));
	p = open("f", O_PATH | O_RDWR | O_APPEND);
	printf("%o\n", fcntl(p, F_GETFL));
	T(read(p, &left, 1));
	T(write(p, &left, 1));
	T(lseek(p, 0, SEEK_SET));
	T(fcntl(p, F_SETFL, 0));
	T(fcntl(p, F_GETLK, NULL));
	T(ioctl(p, FIONREAD, &left));
	T(fsync(p));
	T(ftruncate(p, 0));
	T(fchown(p, 0, 0));
	T(openat(p, "x", O_RDONLY));
	T(dup(p));
	T(fcntl(fd, 9999, 0));
	T(fcntl(fd, F_GETOWN));
	T(fcntl(fd, F_SETOWN, 999999));
	T(fcntl(fd, F_SETOWN, 0));
	T(fcntl(fd, F_SETOWN, INT_MIN));
	T(fcntl(fd, F_SETOWN, getpid()));
	printf("%i\n", fcntl(fd, F_GETOWN) == (int)getpid());
	T(fcntl(fd, F_GETOWN_EX, &o));
	printf("%i %i\n", o.type, o.pid == getpid());
	o.type = 77;
	T(fcntl(fd, F_SETOWN_EX, &o));
	o = (struct f_owner_ex){F_OWNER_PGRP, getpgrp()};
	T(fcntl(fd, F_SETOWN_EX, &o));
	T(fcntl(fd, F_GETOWN_EX, &o));
	printf("%i %i\n", o.type, o.pid == getpgrp());
	T(fcntl(fd, F_GETSIG));
	T(fcntl(fd, F_SETSIG, SIGUSR1));
	T(fcntl(fd, F_GETSIG));
	T(fcntl(fd, F_SETSIG, 65));
	T(fcntl(fd, F_GETPIPE_SZ));
	T(fsync(fd));
	T(fdatasync(fd));
	T(fsync(-1));
	return 0;
}
