/* SIGCHLD ignored or SA_NOCLDWAIT: children leave no zombies. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int count;
static void on(int s)
{
	(void)s;
	count++;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = on, .sa_flags = SA_NOCLDWAIT};
	int status, r;

	signal(SIGCHLD, SIG_IGN);
	if (!fork())
		_exit(3);
	r = wait(&status);
	printf("ignored: %d %s\n", r, strerror(errno));
	sigaction(SIGCHLD, &sa, NULL);
	if (!fork())
		_exit(3);
	do
		r = wait(&status);
	while (r < 0 && errno == EINTR);
	printf("nocldwait: %d %s signals %d\n", r, strerror(errno), count);
	signal(SIGCHLD, SIG_DFL);
	if (!fork())
		_exit(3);
	r = wait(&status) > 0;
	printf("default: %d %d\n", r, WEXITSTATUS(status));
	return 0;
}
