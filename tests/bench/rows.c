/* The micro rows of tests/bench: each prints "row <name> <ns per operation>". Run it natively, under
 * runc and under sbx and compare the ratios; an absolute figure means nothing.
 * Usage: rows [row...] (all without arguments). argv[1] == "--exit" is the program that exec rows run. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *self;
static char file_path[] = "/tmp/sbx-bench-XXXXXX";
static int file_fd;

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void row_getpid(long n)
{
	while (n--)
		syscall(SYS_getpid);
}

static void row_umask(long n)
{
	while (n--)
		umask(022);
}

static void row_pread(long n)
{
	static char buf[4096];

	while (n--)
		if (pread(file_fd, buf, sizeof(buf), 4096) != sizeof(buf))
			die("pread");
}

static void row_stat(long n)
{
	struct stat st;

	while (n--)
		if (stat(file_path, &st) < 0)
			die("stat");
}

static void row_open_close(long n)
{
	while (n--) {
		int fd = open(file_path, O_RDONLY);

		if (fd < 0)
			die("open");
		close(fd);
	}
}

static void row_pipe(long n)
{
	int p[2];
	char c = 'x';

	if (pipe(p) < 0)
		die("pipe");
	while (n--)
		if (write(p[1], &c, 1) != 1 || read(p[0], &c, 1) != 1)
			die("pipe io");
	close(p[0]);
	close(p[1]);
}

static void row_mmap(long n)
{
	while (n--) {
		void *m = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (m == MAP_FAILED)
			die("mmap");
		munmap(m, 65536);
	}
}

static void row_touch(long n)
{
	char *m = mmap(NULL, (size_t)n * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		die("mmap");
	madvise(m, (size_t)n * 4096, MADV_NOHUGEPAGE);
	for (long i = 0; i < n; i++)
		m[i * 4096] = 1;
	munmap(m, (size_t)n * 4096);
}

static void row_fork(long n)
{
	while (n--) {
		pid_t p = fork();

		if (p < 0)
			die("fork");
		if (!p)
			_exit(0);
		if (waitpid(p, NULL, 0) != p)
			die("wait");
	}
}

static void row_vfork_exec(long n)
{
	while (n--) {
		int status;
		pid_t p = vfork();

		if (p < 0)
			die("vfork");
		if (!p) {
			execl(self, self, "--exit", NULL);
			_exit(127);
		}
		if (waitpid(p, &status, 0) != p || status)
			die("exec");
	}
}

static void row_pingpong(long n)
{
	int a[2], b[2];
	char c = 'x';
	pid_t p;

	if (pipe(a) < 0 || pipe(b) < 0)
		die("pipe");
	p = fork();
	if (!p) {
		close(a[1]);
		close(b[0]);
		while (read(a[0], &c, 1) == 1 && write(b[1], &c, 1) == 1)
			;
		_exit(0);
	}
	close(a[0]);
	close(b[1]);
	while (n--)
		if (write(a[1], &c, 1) != 1 || read(b[0], &c, 1) != 1)
			die("ping-pong");
	close(a[1]);
	close(b[0]);
	waitpid(p, NULL, 0);
}

static void *umask_thread(void *arg)
{
	row_umask(*(long *)arg);
	return NULL;
}

static void row_two_threads(long n)
{
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		if (pthread_create(&t[i], NULL, umask_thread, &n))
			die("pthread_create");
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}

/* A site that no patcher can rewrite: the instruction before `syscall` is not a mov of the number, and
 * the one behind it is too short to be moved away. */
__attribute__((noinline)) static long unpatchable(long nr)
{
	long ret;

	__asm__ volatile("nop\n\tsyscall\n\tnop" : "=a"(ret) : "a"(nr) : "rcx", "r11", "memory");
	return ret;
}

static void row_unpatchable(long n)
{
	while (n--)
		unpatchable(SYS_getpid);
}

/* ---- sockets over the loopback interface: two processes, but for tcp_self and tcp_connect -------- */

static int tcp_listen(struct sockaddr_in *ret)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 64) || getsockname(s, (struct sockaddr *)&a, &len))
		die("listen");
	*ret = a;
	return s;
}

static void tcp_pair(int s[2])
{
	struct sockaddr_in a;
	int l = tcp_listen(&a), on = 1;

	s[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(s[0], (struct sockaddr *)&a, sizeof(a)) || (s[1] = accept(l, NULL, NULL)) < 0)
		die("connect");
	setsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(s[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	close(l);
}

static void row_tcp_self(long n)
{
	char buf[64] = "";
	int s[2];

	tcp_pair(s);
	while (n--)
		if (write(s[0], buf, sizeof(buf)) != sizeof(buf) || read(s[1], buf, sizeof(buf)) != sizeof(buf))
			die("tcp_self");
	close(s[0]);
	close(s[1]);
}

static void row_tcp_pingpong(long n)
{
	char c = 'x';
	int s[2];
	pid_t p;

	tcp_pair(s);
	p = fork();
	if (!p) {
		close(s[0]);
		while (read(s[1], &c, 1) == 1 && write(s[1], &c, 1) == 1)
			;
		_exit(0);
	}
	close(s[1]);
	while (n--)
		if (write(s[0], &c, 1) != 1 || read(s[0], &c, 1) != 1)
			die("tcp_pingpong");
	close(s[0]);
	waitpid(p, NULL, 0);
}

/* One way, in pieces of 128 KiB as iperf3 sends them. */
static void row_tcp_stream(long n)
{
	static char buf[131072];
	int s[2];
	pid_t p;

	tcp_pair(s);
	p = fork();
	if (!p) {
		close(s[0]);
		while (read(s[1], buf, sizeof(buf)) > 0)
			;
		_exit(0);
	}
	close(s[1]);
	while (n--)
		for (size_t done = 0; done < sizeof(buf);) {
			ssize_t k = write(s[0], buf, sizeof(buf) - done);

			if (k <= 0)
				die("tcp_stream");
			done += (size_t)k;
		}
	shutdown(s[0], SHUT_WR);
	waitpid(p, NULL, 0);
	close(s[0]);
}

static void row_tcp_connect(long n)
{
	struct sockaddr_in a;
	int l = tcp_listen(&a);

	while (n--) {
		int c = socket(AF_INET, SOCK_STREAM, 0), d;

		if (connect(c, (struct sockaddr *)&a, sizeof(a)) || (d = accept(l, NULL, NULL)) < 0)
			die("tcp_connect");
		close(c);
		close(d);
	}
	close(l);
}

static void row_udp_pingpong(long n)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, b = a;
	socklen_t len = sizeof(a);
	int r = socket(AF_INET, SOCK_DGRAM, 0), s = socket(AF_INET, SOCK_DGRAM, 0);
	char c[64] = "";
	pid_t p;

	if (bind(r, (struct sockaddr *)&a, sizeof(a)) || getsockname(r, (struct sockaddr *)&a, &len) ||
	    bind(s, (struct sockaddr *)&b, sizeof(b)) || getsockname(s, (struct sockaddr *)&b, &len) ||
	    connect(s, (struct sockaddr *)&a, sizeof(a)) || connect(r, (struct sockaddr *)&b, sizeof(b)))
		die("udp");
	p = fork();
	if (!p) {
		while (recv(r, c, sizeof(c), 0) == sizeof(c) && send(r, c, sizeof(c), 0) == sizeof(c))
			;
		_exit(0);
	}
	while (n--)
		if (send(s, c, sizeof(c), 0) != sizeof(c) || recv(s, c, sizeof(c), 0) != sizeof(c))
			die("udp_pingpong");
	send(s, c, 1, 0);
	waitpid(p, NULL, 0);
	close(r);
	close(s);
}

static const struct row {
	const char *name;
	void (*fn)(long n);
	long count;
} rows[] = {
    {"getpid", row_getpid, 100000},     {"umask", row_umask, 50000},
    {"pread4k", row_pread, 30000},      {"stat", row_stat, 20000},
    {"open_close", row_open_close, 10000}, {"pipe", row_pipe, 20000},
    {"mmap64k", row_mmap, 10000},       {"touch", row_touch, 4096},
    {"fork", row_fork, 200},            {"vfork_exec", row_vfork_exec, 100},
    {"pingpong", row_pingpong, 4000},   {"two_threads", row_two_threads, 20000},
    {"unpatchable", row_unpatchable, 20000},
    {"tcp_self", row_tcp_self, 10000},  {"tcp_pingpong", row_tcp_pingpong, 4000},
    {"tcp_stream", row_tcp_stream, 4000}, {"tcp_connect", row_tcp_connect, 500},
    {"udp_pingpong", row_udp_pingpong, 2000},
};

int main(int argc, char **argv)
{
	static char block[65536];

	if (argc > 1 && !strcmp(argv[1], "--exit"))
		return 0;
	self = argv[0];
	file_fd = mkstemp(file_path);
	if (file_fd < 0 || write(file_fd, block, sizeof(block)) != sizeof(block))
		die(file_path);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double best = 1e18;
		int wanted = argc == 1;

		for (int k = 1; k < argc; k++)
			wanted |= !strcmp(argv[k], rows[i].name);
		if (!wanted)
			continue;
		rows[i].fn(rows[i].count / 10 + 1); /* warm */
		for (int k = 0; k < 3; k++) {
			double t = now_ns();

			rows[i].fn(rows[i].count);
			t = (now_ns() - t) / (double)rows[i].count;
			best = t < best ? t : best;
		}
		printf("row %s %.1f\n", rows[i].name, best);
	}
	unlink(file_path);
	return 0;
}
