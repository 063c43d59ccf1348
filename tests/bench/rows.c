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
