/* Descriptors: the lowest number, dup and its relatives, close-on-exec, limits, close_range. */
#include "fs.h"
#include <sys/resource.h>
#include <sys/ioctl.h>

int main(void)
{
	struct rlimit lim;
	int fd, n = 0;

	fs_enter();
	fs_make("f", "0123456789");
	fd = T(open("f", O_RDWR));
	T(dup(fd));
	T(dup2(fd, 9));
	T(dup2(fd, fd));
	T(dup2(77, 77));
	T(dup2(77, 5));
	T(dup2(fd, -1));
	T(dup3(fd, fd, 0));
	T(dup3(fd, 10, O_CLOEXEC));
	T(dup3(fd, 11, O_NONBLOCK));
	T(fcntl(10, F_GETFD));
	T(fcntl(9, F_GETFD));
	T(fcntl(9, F_SETFD, FD_CLOEXEC));
	T(fcntl(9, F_GETFD));
	T(ioctl(9, FIONCLEX));
	T(fcntl(9, F_GETFD));
	T(ioctl(9, FIOCLEX));
	T(fcntl(9, F_GETFD));
	T(dup2(9, 12));
	T(fcntl(12, F_GETFD));
	T(fcntl(fd, F_DUPFD, 20));
	T(fcntl(fd, F_DUPFD_CLOEXEC, 20));
	T(fcntl(21, F_GETFD));
	T(fcntl(fd, F_DUPFD, -1));
	T(fcntl(fd, F_DUPFD, 1 << 30));
	T(fcntl(99, F_GETFD));
	T(lseek(fd, 3, SEEK_SET));
	T(lseek(20, 0, SEEK_CUR));
	T(close(4));
	T(close(4));
	T(open("f", O_RDONLY));
	T(syscall(SYS_close_range, 9, 20, 0));
	T(fcntl(12, F_GETFD));
	T(fcntl(21, F_GETFD));
	T(syscall(SYS_close_range, 3, 4, 4));
	T(fcntl(3, F_GETFD));
	T(syscall(SYS_close_range, 5, 3, 0));
	T(syscall(SYS_close_range, 3, 5, 64));
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = 40;
	T(setrlimit(RLIMIT_NOFILE, &lim));
	T(dup2(3, 40));
	T(dup2(3, 39));
	T(fcntl(3, F_DUPFD, 39));
	T(fcntl(3, F_DUPFD, 40));
	while (dup(3) >= 0)
		n++;
	printf("%i more, then %s\n", n, strerrorname_np(errno));
	T(open("f", O_RDONLY));
	T(syscall(SYS_close_range, 3, ~0u, 0));
	T(open("f", O_RDONLY));
	return 0;
}
