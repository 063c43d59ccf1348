/* Guest seccomp filters: ERRNO, TRAP, KILL, ALLOW; strict mode; bad programs. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int install(unsigned nr, unsigned action)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {4, f};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0);
}

static void on_sys(int s, siginfo_t *si, void *uc)
{
	(void)uc;
	printf("SIGSYS %d code %d nr ok %d errno %d arch ok %d\n", s == SIGSYS, si->si_code,
	       si->si_syscall == SYS_getppid, si->si_errno, si->si_arch == AUDIT_ARCH_X86_64);
}

static void run(const char *what, void (*fn)(void))
{
	int status;

	fflush(stdout);
	if (!fork()) {
		struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		fn();
		fflush(stdout);
		_exit(0);
	}
	wait(&status);
	printf("%s: %s %d\n", what, WIFEXITED(status) ? "exit" : "signal",
	       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static void t_errno(void)
{
	install(SYS_getppid, SECCOMP_RET_ERRNO | 77);
	printf("getppid %ld errno %d\n", syscall(SYS_getppid), errno);
	install(SYS_getuid, SECCOMP_RET_ERRNO | 78);
	printf("getuid %ld errno %d\n", syscall(SYS_getuid), errno);
	printf("getpid works %d mode %d\n", syscall(SYS_getpid) > 0, prctl(PR_GET_SECCOMP));
}

static void t_trap(void)
{
	struct sigaction sa = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};

	sigaction(SIGSYS, &sa, NULL);
	install(SYS_getppid, SECCOMP_RET_TRAP | 5);
	syscall(SYS_getppid);
	printf("after\n");
}

static void t_kill(void)
{
	install(SYS_getppid, SECCOMP_RET_KILL_PROCESS);
	syscall(SYS_getppid);
}

static void t_inherit(void)
{
	int status;

	install(SYS_getppid, SECCOMP_RET_ERRNO | 99);
	if (!fork()) {
		syscall(SYS_getppid);
		_exit(errno);
	}
	wait(&status);
	printf("in the child %d\n", WEXITSTATUS(status));
}

static void t_strict(void)
{
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	write(1, "still writes\n", 13);
	syscall(SYS_getuid);
}

int main(void)
{
	struct sock_filter bad[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 3)}, loop[] = {BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0)};
	struct sock_fprog p = {1, bad}, q = {1, loop};

	setvbuf(stdout, NULL, _IOLBF, 0);
	run("errno", t_errno);
	run("trap", t_trap);
	run("kill", t_kill);
	run("inherit", t_inherit);
	run("strict", t_strict);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	{
		long r_ = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p);

		printf("bad load %d %s\n", (int)r_, strerror(errno));
	}
	{
		long r_ = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &q);

		printf("bad jump %d %s\n", (int)r_, strerror(errno));
	}
	return 0;
}
