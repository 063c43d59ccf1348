/* getrlimit, setrlimit, prlimit of another process, and what some limits do. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	struct rlimit r, old;
	int fd, max = 0, status;
	pid_t pid;

	getrlimit(RLIMIT_NOFILE, &old);
	r = (struct rlimit){20, old.rlim_max};
	printf("set %d\n", setrlimit(RLIMIT_NOFILE, &r));
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		max = fd;
	printf("highest %d: %s\n", max, strerror(errno));
	for (int i = 3; i < 20; i++)
		close(i);
	setrlimit(RLIMIT_NOFILE, &old);
	r = (struct rlimit){10, 5};
	{
		long r_ = setrlimit(RLIMIT_NOFILE, &r);

		printf("soft over hard: %d %s\n", (int)r_, strerror(errno));
	}
	{
		long r_ = getrlimit(99, &r);

		printf("bad resource: %d %s\n", (int)r_, strerror(errno));
	}
	fflush(stdout);
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	r = (struct rlimit){33, 44};
	printf("prlimit %d\n", prlimit(pid, RLIMIT_NOFILE, &r, NULL));
	memset(&r, 0, sizeof(r));
	prlimit(pid, RLIMIT_NOFILE, NULL, &r);
	printf("child has %lu %lu\n", (unsigned long)r.rlim_cur, (unsigned long)r.rlim_max);
	{
		long r_ = prlimit(999999, RLIMIT_NOFILE, NULL, &r);

		printf("nobody: %d %s\n", (int)r_, strerror(errno));
	}
	kill(pid, 9);
	waitpid(pid, &status, 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		r = (struct rlimit){100, 100};
		setrlimit(RLIMIT_FSIZE, &r);
		getrlimit(RLIMIT_FSIZE, &r);
		printf("inherited by exec %lu\n", (unsigned long)r.rlim_cur);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	getrlimit(RLIMIT_FSIZE, &r);
	printf("parent keeps infinity %d\n", r.rlim_cur == RLIM_INFINITY);
	return 0;
}
