/* RLIMIT_CPU: SIGXCPU at the soft limit and once a second, SIGKILL at the hard one; inherited, kept over exec. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int *count;

static void handler(int s)
{
	(*count) += s == SIGXCPU;
}

static void burn(void)
{
	for (volatile unsigned long i = 0;; i++)
		;
}

static void end(const char *what, pid_t pid)
{
	struct rusage ru;
	long ms;
	int status;

	/* The limit is held against the clock that counts by ticks, which may run ahead of the exact one that wait4 gives
	 * on a busy machine. */
	wait4(pid, &status, 0, &ru);
	ms = (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000 + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1000;
	printf("%s: signal %d after %s\n", what, WIFSIGNALED(status) ? WTERMSIG(status) : -1,
	       ms < 1500 ? "too short a time" : ms < 4500 ? "its seconds" : "too long a time");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct rlimit both = {1, 3}, soft = {1, RLIM_INFINITY}, now;
	pid_t pid;

	if (argc > 1)
		burn();
	count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid = fork();
	if (!pid) {
		signal(SIGXCPU, handler);
		setrlimit(RLIMIT_CPU, &both);
		burn();
	}
	end("both", pid);
	printf("SIGXCPU %d\n", *count >= 2);
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CPU, &soft);
		if (fork())
			_exit(WTERMSIG(({ int s; wait(&s); s; })));
		execl(argv[0], argv[0], "burn", NULL);
		_exit(1);
	}
	waitpid(pid, count, 0);
	printf("grandchild %d\n", WEXITSTATUS(*count) == SIGXCPU);
	getrlimit(RLIMIT_CPU, &now);
	printf("own %d\n", now.rlim_cur == RLIM_INFINITY);
	return 0;
}
