/* Random calls on pipes, sockets, epoll sets and their kin, from threads of several processes that
 * pass each other descriptors and close them under sleeping calls. Nothing may come of it: the
 * sandbox lives on. Usage: fuzz_events [seconds [seed]] */
#pragma GCC diagnostic ignored "-Wunused-result" /* failing is the point */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static __thread uint64_t seed;
static unsigned rnd(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return n ? (unsigned)((seed >> 11) % n) : 0;
}
static char *area; /* 64K, then nothing */
static int fd(void)
{
	return 3 + (int)rnd(40) - (rnd(50) == 0 ? 100 : 0);
}
static void *ptr(void)
{
	switch (rnd(12)) {
	case 0:
		return NULL;
	case 1:
		return (void *)8;
	case 2:
		return area + 65536 - rnd(64);
	case 3:
		return (void *)-4096L;
	default:
		return area + rnd(32768);
	}
}
static size_t len(void)
{
	switch (rnd(10)) {
	case 0:
		return 0;
	case 1:
		return (size_t)-1;
	case 2:
		return 1u << rnd(31);
	case 3:
		return 65536;
	default:
		return rnd(300);
	}
}
static struct sockaddr_un name(socklen_t *l)
{
	struct sockaddr_un a = {.sun_family = rnd(20) ? AF_UNIX : rnd(50)};
	if (rnd(2)) {
		*l = 3 + sprintf(a.sun_path + 1, "fz%d", rnd(6));
	} else {
		*l = 3 + sprintf(a.sun_path, "/tmp/fz%d", rnd(6));
	}
	if (!rnd(20))
		*l = rnd(130);
	return a;
}
static void sendfds(int s)
{
	char c[CMSG_SPACE(40)] = {0}, b[100];
	struct cmsghdr *h = (void *)c;
	int n = rnd(4) + 1;
	struct iovec iov = {b, rnd(100)};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = c,
			   .msg_controllen = CMSG_SPACE(n * 4)};
	h->cmsg_len = CMSG_LEN(n * 4);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	for (int i = 0; i < n; i++)
		((int *)CMSG_DATA(h))[i] = 3 + rnd(30);
	sendmsg(s, &m, rnd(2) ? MSG_DONTWAIT : MSG_NOSIGNAL);
}
static void recvfds(int s)
{
	char c[CMSG_SPACE(40)], b[100];
	struct iovec iov = {b, rnd(100)};
	struct sockaddr_un a;
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = c,
			   .msg_controllen = rnd(60),
			   .msg_name = rnd(2) ? &a : NULL,
			   .msg_namelen = rnd(120)};
	int fl = (rnd(2) ? MSG_DONTWAIT : 0) | (rnd(4) ? 0 : MSG_PEEK);
	if (recvmsg(s, &m, fl) >= 0 && m.msg_controllen >= 20)
		for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h))
			if (h->cmsg_type == SCM_RIGHTS)
				for (unsigned i = 0; i < (h->cmsg_len - 16) / 4; i++) {
					int f = ((int *)CMSG_DATA(h))[i];
					if (f > 42 || rnd(2))
						close(f);
				}
}
static void step(void)
{
	struct epoll_event ev = {.events = rnd(2) ? EPOLLIN | EPOLLOUT : (1u << rnd(32)),
				 .data.u64 = rnd(100)};
	struct itimerspec its = {{0, rnd(3) * 100000}, {0, rnd(2000000)}};
	struct sockaddr_un a;
	socklen_t al;
	int p[2];
	sigset_t ss;
	loff_t off = rnd(100), off2 = rnd(100);
	unsigned nb = rnd(3) ? O_NONBLOCK : 0;
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	struct iovec iov[4];
	if (rnd(300) == 0) {
		for (int i = 43; i < 64; i++)
			close(i);
	}
	switch (rnd(46)) {
	case 0:
		pipe2(p, nb | (rnd(4) ? 0 : O_DIRECT));
		break;
	case 1:
	case 2:
		socketpair(AF_UNIX, types[rnd(3)] | nb, 0, p);
		break;
	case 3:
		socket(AF_UNIX, types[rnd(3)] | nb, 0);
		break;
	case 4:
		epoll_create1(0);
		break;
	case 5:
		eventfd(rnd(10), nb | rnd(2));
		break;
	case 6: {
		sigfillset(&ss);
		sigdelset(&ss, SIGALRM);
		signalfd(rnd(3) ? -1 : fd(), &ss, nb);
	} break;
	case 7:
		timerfd_create(rnd(3) ? CLOCK_MONOTONIC : CLOCK_REALTIME, nb);
		break;
	case 8:
		inotify_init1(nb);
		break;
	case 9:
	case 10:
		close(fd());
		break;
	case 11:
		dup2(fd(), 3 + rnd(40));
		break;
	case 12:
	case 13:
		read(fd(), ptr(), len());
		break;
	case 14:
	case 15:
		write(fd(), ptr(), len());
		break;
	case 16:
	case 17:
		epoll_ctl(fd(), rnd(4), fd(), rnd(20) ? &ev : ptr());
		break;
	case 18:
		epoll_wait(fd(), ptr(), rnd(10), rnd(2));
		break;
	case 19: {
		struct pollfd pf[20];
		int n = rnd(20);
		for (int i = 0; i < n; i++)
			pf[i] = (struct pollfd){fd(), rnd(65536), 0};
		poll(pf, n, rnd(2));
	} break;
	case 20: {
		fd_set s[3];
		struct timeval tv = {0, rnd(500)};
		for (int k = 0; k < 3; k++) {
			FD_ZERO(&s[k]);
			for (int i = 0; i < 3; i++)
				FD_SET(rnd(45), &s[k]);
		}
		select(rnd(45), s, s + 1, s + 2, &tv);
	} break;
	case 21:
		a = name(&al);
		bind(fd(), (void *)&a, al);
		break;
	case 22:
		a = name(&al);
		connect(fd(), (void *)&a, al);
		break;
	case 23:
		listen(fd(), rnd(4));
		break;
	case 24:
		al = rnd(130);
		accept4(fd(), rnd(2) ? (void *)&a : NULL, &al, nb);
		break;
	case 25:
		a = name(&al);
		sendto(fd(), ptr(), len(), MSG_NOSIGNAL | (1u << rnd(20)),
		       rnd(2) ? (void *)&a : NULL, al);
		break;
	case 26:
		al = rnd(130);
		recvfrom(fd(), ptr(), len(), 1u << rnd(31), rnd(2) ? (void *)&a : NULL, &al);
		break;
	case 27:
	case 28:
		sendfds(fd());
		break;
	case 29:
	case 30:
		recvfds(fd());
		break;
	case 31:
		shutdown(fd(), rnd(4));
		break;
	case 32: {
		int v = rnd(3) ? (int)rnd(5000) : -1;
		setsockopt(fd(), rnd(10) ? SOL_SOCKET : rnd(300), rnd(80), rnd(9) ? &v : ptr(),
			   rnd(20));
	} break;
	case 33: {
		char b[64];
		al = rnd(64);
		getsockopt(fd(), SOL_SOCKET, rnd(80), b, &al);
	} break;
	case 34:
		splice(fd(), rnd(3) ? NULL : &off, fd(), rnd(3) ? NULL : &off2, len(), rnd(17));
		break;
	case 35:
		tee(fd(), fd(), len(), rnd(5));
		break;
	case 36:
		for (int i = 0; i < 4; i++)
			iov[i] = (struct iovec){ptr(), len()};
		vmsplice(fd(), iov, rnd(5), rnd(5));
		break;
	case 37:
		sendfile(fd(), fd(), rnd(2) ? &off : NULL, rnd(100000));
		break;
	case 38:
		copy_file_range(fd(), rnd(2) ? &off : NULL, fd(), rnd(2) ? &off2 : NULL, rnd(1000),
				0);
		break;
	case 39:
		timerfd_settime(fd(), rnd(4), &its, rnd(2) ? &its : NULL);
		break;
	case 40:
		inotify_add_watch(fd(), rnd(2) ? "/tmp" : "/tmp/fzf", 1u << rnd(32) | rnd(4096));
		break;
	case 41:
		inotify_rm_watch(fd(), rnd(5));
		break;
	case 42: {
		int f = open("/tmp/fzf", O_RDWR | O_CREAT | nb, 0600);
		if (!rnd(4))
			unlink("/tmp/fzf");
		if (!rnd(5)) {
			unlink("/tmp/fz1");
			unlink("/tmp/fz2");
			mkfifo("/tmp/fz3", 0600);
		}
		(void)f;
	} break;
	case 43:
		fcntl(fd(), rnd(2) ? F_SETPIPE_SZ : F_SETFL,
		      rnd(2) ? rnd(1 << 20) : (rnd(2) ? O_NONBLOCK : O_ASYNC));
		break;
	case 44: {
		int n;
		ioctl(fd(), rnd(2) ? FIONREAD : TIOCOUTQ, &n);
	} break;
	case 45:
		for (int i = 0; i < 4; i++)
			iov[i] = (struct iovec){ptr(), len()};
		if (rnd(2))
			readv(fd(), iov, rnd(5));
		else
			writev(fd(), iov, rnd(5));
		break;
	}
}
static long until;
static void *run(void *arg)
{
	seed = (uint64_t)(uintptr_t)arg * 0x9e3779b97f4a7c15ull + 88172645463325252ull;
	struct timespec ts;
	do {
		for (int i = 0; i < 200; i++)
			step();
		clock_gettime(CLOCK_MONOTONIC, &ts);
	} while (ts.tv_sec < until);
	return NULL;
}
static void tick(int s)
{
	(void)s;
}
int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = tick};
	struct itimerval it = {{0, 2000}, {0, 2000}};
	struct timespec ts;
	long secs = argc > 1 ? atol(argv[1]) : 5;
	unsigned long s0 = argc > 2 ? strtoul(argv[2], 0, 0) : 1;
	area = mmap(NULL, 65536 + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(area + 65536, 4096);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	until = ts.tv_sec + secs;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigaction(SIGALRM, &sa, NULL);
	for (int p = 0; p < 3; p++) {
		if (!fork()) {
			pthread_t t[3];
			setitimer(ITIMER_REAL, &it, NULL);
			for (long i = 0; i < 2; i++)
				pthread_create(&t[i], NULL, run, (void *)(s0 * 100 + p * 10 + i));
			run((void *)(s0 * 100 + p * 10 + 5));
			_exit(0);
		}
	}
	int st, bad = 0;
	while (wait(&st) > 0)
		if (st) {
			bad++;
			fprintf(stderr, "child %x\n", st);
		}
	puts(bad ? "bad" : "done");
	return bad != 0;
}
