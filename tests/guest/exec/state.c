/* What stays and what goes over execve(2): descriptors, signals, ids, umask, directory, limits. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void handler(int s)
{
}

int main(int argc, char **argv)
{
	if (argc == 1) {
		char pid[16];
		sigset_t set;
		struct rlimit lim = {100, 200};
		stack_t ss = {.ss_sp = malloc(65536), .ss_size = 65536};

		snprintf(pid, sizeof(pid), "%d", getpid());
		int a = open("/dev/null", O_RDONLY), b = open("/dev/null", O_RDONLY | O_CLOEXEC);

		dup2(a, 20);
		dup2(b, 21);
		fcntl(21, F_SETFD, FD_CLOEXEC);
		signal(SIGUSR1, handler);
		signal(SIGUSR2, SIG_IGN);
		sigaltstack(&ss, NULL);
		sigemptyset(&set);
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		raise(SIGUSR1);
		umask(027);
		chdir("/tmp");
		setrlimit(RLIMIT_NOFILE, &lim);
		prctl(PR_SET_NAME, "before");
		nice(3);
		alarm(1000);
		execl("/proc/self/exe", "state", pid, NULL);
		return 9;
	}
	struct sigaction sa;
	sigset_t set;
	struct rlimit lim;
	stack_t ss;
	char name[32], cwd[64];

	printf("same pid %d\n", atoi(argv[1]) == getpid());
	printf("fd 20 %d, fd 21 %d\n", fcntl(20, F_GETFD), fcntl(21, F_GETFD));
	sigaction(SIGUSR1, NULL, &sa);
	printf("handler gone %d\n", sa.sa_handler == SIG_DFL);
	sigaction(SIGUSR2, NULL, &sa);
	printf("ignored stays %d\n", sa.sa_handler == SIG_IGN);
	sigprocmask(SIG_BLOCK, NULL, &set);
	printf("mask %d %d %d\n", sigismember(&set, SIGTERM), sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2));
	sigpending(&set);
	printf("pending %d\n", sigismember(&set, SIGUSR1));
	sigaltstack(NULL, &ss);
	printf("altstack off %d\n", ss.ss_flags == SS_DISABLE);
	printf("umask %o\n", umask(0));
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)));
	getrlimit(RLIMIT_NOFILE, &lim);
	printf("limit %ld %ld\n", (long)lim.rlim_cur, (long)lim.rlim_max);
	prctl(PR_GET_NAME, name);
	printf("name %s\n", name);
	printf("nice %d\n", nice(0));
	printf("alarm kept %d\n", alarm(0) > 900);
	return 0;
}
