/* Who looks into a process while it becomes one with more rights: a tracer that attaches at any moment of an exec, a
 * filter for all threads, an open file of /proc/PID. Whoever got a hold on the old program has none on the new one. */
#include "../say.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define NOBODY 65534
#define ROUNDS 150

static char copy[] = "/tmp/attach_exec.XXXXXX";

static int status_of(pid_t pid, const char *key)
{
	char path[64], line[256];
	int value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			sscanf(line + strlen(key), strcmp(key, "Uid:") ? "%d" : "%*d %d", &value);
	if (f)
		fclose(f);
	return value;
}

/* The program with more rights. Says by its status what it found; 3: it has none (a mount without setuid). */
static int privileged(void)
{
	if (geteuid())
		return 3;
	/* a filter that came along would fail this */
	if (syscall(SYS_getppid) < 0)
		return 2;
	return status_of(getpid(), "TracerPid:") ? 1 : 0;
}

static void become_nobody(void)
{
	MUST(setresgid(NOBODY, NOBODY, NOBODY));
	MUST(setresuid(NOBODY, NOBODY, NOBODY));
	prctl(PR_SET_DUMPABLE, 1);
}

static void run_copy(const char *what)
{
	execl(copy, copy, what, NULL);
	_exit(127);
}

static unsigned next_delay(void)
{
	static unsigned x = 12345;

	x = x * 1103515245 + 12345;
	return (x >> 16) % 1500;
}

static int attach_rounds(void)
{
	int bad = 0;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t p = MUST(fork());
		int status;

		if (!p)
			run_copy("privileged");
		usleep(next_delay());
		if (ptrace(PTRACE_SEIZE, p, 0, 0) == 0 && status_of(p, "Uid:") == 0)
			bad++;
		if (waitpid(p, &status, __WALL) == p && (!WIFEXITED(status) || WEXITSTATUS(status) % 3))
			bad++;
	}
	return bad;
}

static void *filter_all(void *arg)
{
	struct sock_filter insn[] = {
		{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_getppid},
		{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | 99},
		{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
	};
	struct sock_fprog prog = {4, insn};

	usleep(next_delay());
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog);
	pause();
	return arg;
}

static int filter_rounds(void)
{
	int bad = 0;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t p = MUST(fork());
		int status;

		if (!p) {
			pthread_t t;

			for (int k = 0; k <= i; k++)
				next_delay();
			pthread_create(&t, NULL, filter_all, NULL);
			usleep(200);
			run_copy("privileged");
		}
		MUST(waitpid(p, &status, 0));
		bad += !WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 3);
	}
	return bad;
}

/* Opened before, read after. The size of what comes. */
static void open_files(void)
{
	static const char *const names[] = {"maps", "environ", "smaps", "syscall", "mem"};
	int fd[5], go[2], ready[2];
	char path[64], buf[256];
	pid_t p;

	MUST(pipe(go));
	MUST(pipe2(ready, O_CLOEXEC));
	p = MUST(fork());
	if (!p) {
		MUST(read(go[0], buf, 1));
		close(ready[0]);
		run_copy("sleep");
	}
	close(ready[1]);
	for (int i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", p, names[i]);
		fd[i] = MUST(open(path, O_RDONLY));
	}
	MUST(write(go[1], "g", 1));
	MUST(read(ready[0], buf, 1)); /* its end closes with the exec */
	for (int i = 0; i < 5; i++) {
		ssize_t n = pread(fd[i], buf, sizeof(buf), i == 4 ? (off_t)(uintptr_t)&copy : 0);

		printf("%s: %s\n", names[i], n > 0 && i < 4 ? "something" : "nothing");
		close(fd[i]);
	}
	kill(p, SIGKILL);
	MUST(waitpid(p, NULL, 0));
}

int main(int argc, char **argv)
{
	char self[4096];
	int fd, from, status;
	ssize_t n;

	if (argc > 1 && !strcmp(argv[1], "privileged"))
		return privileged();
	if (argc > 1)
		return sleep(5), 0;
	setvbuf(stdout, NULL, _IONBF, 0);
	fd = MUST(mkstemp(copy));
	from = MUST(open("/proc/self/exe", O_RDONLY));
	while ((n = read(from, self, sizeof(self))) > 0)
		MUST(write(fd, self, (size_t)n));
	MUST(fchmod(fd, 04711));
	close(fd);
	close(from);
	if (!MUST(fork())) {
		become_nobody();
		printf("tracers with a hold on it: %d\n", attach_rounds());
		printf("filters that came along: %d\n", filter_rounds());
		open_files();
		_exit(0);
	}
	wait(&status);
	unlink(copy);
	return status != 0;
}
