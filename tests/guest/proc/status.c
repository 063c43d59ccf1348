/* /proc/self/status: ids, signals, threads. */
#include "tests/guest/proc/util.h"
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
static void h(int s)
{
	(void)s;
}
static pthread_barrier_t b;
static void *idle(void *a)
{
	pthread_barrier_wait(&b);
	pthread_barrier_wait(&b);
	return a;
}
int main(void)
{
	char buf[65536];
	sigset_t set;
	pthread_t t;

	umask(027);
	signal(SIGUSR1, h);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGHUP, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_SETMASK, &set, NULL);
	raise(SIGUSR1);
	kill(getpid(), SIGTERM);
	slurp("/proc/self/status", buf, sizeof(buf));
	printf("Name%s\n", line(buf, "Name:"));
	printf("Umask%s\n", line(buf, "Umask:"));
	printf("State%s\n", line(buf, "State:"));
	CHECK(atoi(line(buf, "Pid:")) == getpid());
	CHECK(atoi(line(buf, "Tgid:")) == getpid());
	CHECK(atoi(line(buf, "PPid:")) == getppid() || getppid() == 0);
	printf("TracerPid%s\n", line(buf, "TracerPid:"));
	printf("Threads%s\n", line(buf, "Threads:"));
	printf("SigPnd%s\nShdPnd%s\nSigBlk%s\n", line(buf, "SigPnd:"), "", "");
	printf("ShdPnd%s\n", line(buf, "ShdPnd:"));
	printf("SigBlk%s\n", line(buf, "SigBlk:"));
	CHECK(strtoull(line(buf, "SigCgt:"), NULL, 16) & 1 << (SIGUSR1 - 1));
	CHECK(strtoull(line(buf, "SigIgn:"), NULL, 16) & 1 << (SIGUSR2 - 1));
	CHECK(strstr(buf, "VmRSS:") && strstr(buf, "VmSize:") && strstr(buf, "VmPeak:"));
	CHECK(atol(line(buf, "VmRSS:")) > 100 && atol(line(buf, "VmSize:")) >= atol(line(buf, "VmRSS:")));
	CHECK(strstr(buf, "CapEff:") && strstr(buf, "Cpus_allowed_list:"));
	printf("NoNewPrivs%s\n", line(buf, "NoNewPrivs:"));
	pthread_barrier_init(&b, NULL, 2);
	pthread_create(&t, NULL, idle, NULL);
	pthread_barrier_wait(&b);
	slurp("/proc/self/status", buf, sizeof(buf));
	printf("Threads%s\n", line(buf, "Threads:"));
	pthread_barrier_wait(&b);
	pthread_join(t, NULL);
	if (setresgid(1001, 1002, 1003) || setresuid(2001, 2002, 2003))
		return 77;
	slurp("/proc/self/status", buf, sizeof(buf));
	printf("Uid%s\n", line(buf, "Uid:"));
	printf("Gid%s\n", line(buf, "Gid:"));
	return 0;
}
