/* kill, tgkill: targets, errors, permissions. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int count;
static pid_t where;
static void on(int s)
{
	(void)s;
	count++;
	where = (pid_t)syscall(SYS_gettid);
}
static volatile pid_t tid;
static volatile int stop;
static void *thread(void *arg)
{
	tid = (pid_t)syscall(SYS_gettid);
	while (!stop)
		usleep(1000);
	return arg;
}
static void check(const char *what, long r)
{
	printf("%s: %ld %s\n", what, r, r < 0 ? strerror(errno) : "");
}

int main(void)
{
	pthread_t t;
	int status;
	pid_t pid;

	/* as pid 1 of a session of its own it could not make a group */
	pid = fork();
	if (pid) {
		waitpid(pid, &status, 0);
		return WEXITSTATUS(status);
	}
	setpgid(0, 0);
	signal(SIGUSR1, on);
	check("nobody", kill(999999, 0));
	check("no group", kill(-999999, 0));
	check("bad signal", kill(getpid(), 65));
	check("negative signal", kill(getpid(), -1));
	check("zero", kill(getpid(), 0));
	check("own group", kill(0, SIGUSR1));
	check("own group by id", kill(-getpid(), SIGUSR1));
	printf("came %d\n", count);
	pthread_create(&t, NULL, thread, NULL);
	while (!tid)
		usleep(100);
	check("tgkill", syscall(SYS_tgkill, getpid(), tid, SIGUSR1));
	for (int i = 0; i < 1000 && count < 3; i++)
		usleep(1000);
	printf("in the thread %d\n", where == tid);
	check("tgkill other group", syscall(SYS_tgkill, getppid(), tid, 0));
	check("tgkill bad", syscall(SYS_tgkill, 0, tid, 0));
	check("tkill", syscall(SYS_tkill, tid, 0));
	stop = 1;
	pthread_join(t, NULL);
	pid = fork();
	if (!pid)
		_exit(0);
	usleep(20000);
	check("a zombie", kill(pid, SIGKILL));
	waitpid(pid, &status, 0);
	printf("its status %d\n", status);
	check("gone", kill(pid, 0));
	if (getuid() == 0) {
		pid_t victim = fork();

		if (!victim)
			for (;;)
				pause();
		fflush(stdout);
		pid = fork();
		if (!pid) {
			setresuid(1234, 1234, 1234);
			check("other user", kill(victim, SIGTERM));
			fflush(stdout);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		kill(victim, SIGKILL);
		waitpid(victim, &status, 0);
		printf("victim by %d\n", WTERMSIG(status));
	}
	return 0;
}
