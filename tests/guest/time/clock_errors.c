/* What clock calls refuse, and in which order: CPU clocks cannot be set, a thread does not sleep on its own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static long err(long r)
{
	return r < 0 ? -errno : r;
}

int main(void)
{
	struct timespec ts = {0, 1000}, bad = {0, -1};
	struct timex tx = {.modes = 0x8000};

	printf("sleep thread %ld\n", err(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL)));
	printf("sleep thread, bad time %ld\n", err(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &bad, NULL)));
	printf("sleep raw %ld\n", err(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &ts, NULL)));
	printf("set process %ld\n", err(syscall(SYS_clock_settime, CLOCK_PROCESS_CPUTIME_ID, &ts)));
	printf("set thread %ld\n", err(syscall(SYS_clock_settime, CLOCK_THREAD_CPUTIME_ID, &ts)));
	printf("set a process's %ld\n", err(syscall(SYS_clock_settime, (~getpid() << 3) | 2, &ts)));
	printf("set monotonic %ld\n", err(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &ts)));
	printf("set with a bad time %ld\n", err(syscall(SYS_clock_settime, CLOCK_REALTIME, &bad)));
	printf("adjtimex half a mode %ld\n", err(syscall(SYS_adjtimex, &tx)));
	return 0;
}
