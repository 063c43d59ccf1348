/* Takes all it can get: processes, threads, descriptors, memory maps, pipes. Each must end in a refusal, and
 * the sandbox must go on afterwards. */
#include "hostile.h"
#include <pthread.h>
#include <sys/resource.h>

static void *sleeper(void *arg)
{
	pause();
	return NULL;
}

static int run(const char *name, void (*fn)(void))
{
	int status;
	pid_t p = fork();

	if (!p) {
		setpgid(0, 0);
		alarm(20);
		fn();
		kill(0, SIGKILL);
	}
	setpgid(p, p);
	if (waitpid(p, &status, 0) != p)
		return 1;
	kill(-p, SIGKILL);
	for (int i = 0; i < 50; i++) {
		p = fork();
		if (p >= 0)
			break;
		usleep(100000);
	}
	if (!p)
		_exit(0);
	if (p < 0 || waitpid(p, &status, 0) != p || status) {
		printf("after %s no process can be made\n", name);
		return 1;
	}
	return 0;
}

static void descriptors(void)
{
	int p[2];

	while (pipe(p) == 0)
		;
}

static void threads(void)
{
	pthread_t t;
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < 5000 && !pthread_create(&t, &attr, sleeper, NULL); i++)
		;
}

static void processes(void)
{
	struct rlimit r = {200, 200};

	setrlimit(RLIMIT_NPROC, &r);
	if (setuid(12345))
		return;
	for (int i = 0; i < 400; i++) {
		pid_t p = fork();

		if (p < 0)
			break;
		if (!p) {
			pause();
			_exit(0);
		}
	}
}

static void maps(void)
{
	for (int i = 0; i < 100000; i++)
		if (mmap(NULL, 8192, i & 1 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			break;
}

int main(void)
{
	int bad = 0;

	signal(SIGCHLD, SIG_DFL);
	bad += run("descriptors", descriptors);
	bad += run("threads", threads);
	bad += run("processes", processes);
	bad += run("maps", maps);
	return bad != 0;
}
