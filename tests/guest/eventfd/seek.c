/* lseek and odd calls on event descriptors. */
#include "../say.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
int main(void)
{
	sigset_t set;
	int fd[6], s[2], n;
	char c[64], path[64], link[64];
	struct stat st;

	sigemptyset(&set);
	fd[0] = MUST(eventfd(1, EFD_NONBLOCK));
	fd[1] = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	fd[2] = MUST(signalfd(-1, &set, SFD_NONBLOCK));
	fd[3] = MUST(epoll_create1(0));
	fd[4] = MUST(inotify_init1(IN_NONBLOCK));
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	fd[5] = s[0];
	for (int i = 0; i < 6; i++) {
		ssize_t len;

		SAY(lseek(fd[i], 5, SEEK_SET));
		SAY(read(fd[i], c, 64));
		SAY(write(fd[i], c, 4));
		if (i != 3)
			SAY(ioctl(fd[i], FIONREAD, &n));
		if (i != 3) /* newer kernels know ioctls of epoll */
			SAY(ioctl(fd[i], 0x1234, &n));
		SAY(fsync(fd[i]));
		SAY(ftruncate(fd[i], 0));
		SAY(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd[i], 0) == MAP_FAILED);
		MUST(fstat(fd[i], &st));
		printf("%o %d\n", st.st_mode, (int)st.st_size);
		printf("%x\n", fcntl(fd[i], F_GETFL));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[i]);
		len = readlink(path, link, 63);
		link[len < 0 ? 0 : len] = 0;
		link[strcspn(link, "0123456789")] = 0;
		printf("%s\n", link);
		SAY(open(path, O_RDONLY));
	}
	return 0;
}
