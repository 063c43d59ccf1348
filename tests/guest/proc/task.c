/* /proc/self/task: one directory for each thread; names of threads. */
#include "tests/guest/proc/util.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
static pthread_barrier_t b;
static int tid;
static void *thread(void *a)
{
	tid = (int)syscall(SYS_gettid);
	prctl(PR_SET_NAME, "worker");
	pthread_barrier_wait(&b);
	pthread_barrier_wait(&b);
	return a;
}
static int count(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}
int main(void)
{
	char path[64], buf[4096];
	pthread_t t;

	printf("%d\n", count());
	pthread_barrier_init(&b, NULL, 2);
	pthread_create(&t, NULL, thread, NULL);
	pthread_barrier_wait(&b);
	printf("%d\n", count());
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
	slurp(path, buf, sizeof(buf));
	printf("%s", buf);
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	slurp(path, buf, sizeof(buf));
	CHECK(atoi(line(buf, "Pid:")) == tid && atoi(line(buf, "Tgid:")) == getpid());
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	CHECK(slurp(path, buf, sizeof(buf)) > 0);
	snprintf(path, sizeof(path), "/proc/self/task/%d/task", tid);
	SHOW(access(path, F_OK));
	pthread_barrier_wait(&b);
	pthread_join(t, NULL);
	for (int i = 0; i < 100 && count() > 1; i++)
		usleep(10000);
	printf("%d\n", count());
	snprintf(path, sizeof(path), "/proc/self/task/%d", tid);
	SHOW(access(path, F_OK));
	return 0;
}
