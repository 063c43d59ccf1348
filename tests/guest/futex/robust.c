/* Robust mutexes: the owner dies as a thread, as a process, and by SIGKILL. */
#include "tests/guest/show.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
static pthread_mutex_t *m;
static void *dies(void *a)
{
	pthread_mutex_lock(m);
	return a;
}
static void take(const char *what)
{
	int r = pthread_mutex_lock(m);

	printf("%s: %s\n", what, r ? strerrorname_np(r) : "0");
	if (r == EOWNERDEAD)
		printf("consistent: %d\n", pthread_mutex_consistent(m));
	printf("unlock: %d\n", pthread_mutex_unlock(m));
	fflush(stdout);
}
int main(void)
{
	pthread_mutexattr_t ma;
	pthread_t t;
	void *head;
	size_t len;
	int pid, p[2];
	char c;

	m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(m, &ma);
	take("fresh");
	pthread_create(&t, NULL, dies, NULL);
	pthread_join(t, NULL);
	take("thread died");
	pid = fork();
	if (!pid) {
		pthread_mutex_lock(m);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	take("process exited");
	pipe(p);
	pid = fork();
	if (!pid) {
		pthread_mutex_lock(m);
		write(p[1], "x", 1);
		for (;;)
			pause();
	}
	read(p[0], &c, 1);
	if (!fork()) {
		usleep(100000);
		kill(pid, SIGKILL);
		_exit(0);
	}
	take("killed while we wait");
	while (wait(NULL) > 0)
		;
	pthread_create(&t, NULL, dies, NULL);
	pthread_join(t, NULL);
	printf("lock: %s\n", strerrorname_np(pthread_mutex_lock(m)));
	pthread_mutex_unlock(m);
	printf("not made consistent: %s\n", strerrorname_np(pthread_mutex_lock(m)));
	SHOW(syscall(SYS_get_robust_list, 0, &head, &len));
	printf("%zu\n", len);
	SHOW(syscall(SYS_set_robust_list, head, 12));
	SHOW(syscall(SYS_get_robust_list, 1 << 28, &head, &len));
	return 0;
}
