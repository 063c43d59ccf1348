/* POSIX timers: signal, value, overruns, reading, deletion, errors. */
#include "tests/guest/show.h"
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
static volatile sig_atomic_t got_value, got_code, count;
static void handler(int s, siginfo_t *si, void *u)
{
	(void)s;
	(void)u;
	got_value = si->si_value.sival_int;
	got_code = si->si_code;
	count++;
}
int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec its = {{0, 0}, {0, 20000000}}, cur, zero = {{0, 0}, {0, 0}};
	struct itimerspec bad = {{0, 0}, {0, 1000000000}}, per = {{0, 5000000}, {0, 5000000}};
	struct timespec ms100 = {0, 100000000};
	sigset_t set, orig;
	siginfo_t si;
	timer_t t;

	ev.sigev_value.sival_int = 42;
	sigaction(SIGUSR1, &sa, NULL);
	SHOW(timer_create(77, &ev, &t));
	ev.sigev_notify = 9;
	SHOW(timer_create(CLOCK_MONOTONIC, &ev, &t));
	ev.sigev_notify = SIGEV_SIGNAL;
	ev.sigev_signo = 99;
	SHOW(timer_create(CLOCK_MONOTONIC, &ev, &t));
	ev.sigev_signo = SIGUSR1;
	SHOW(timer_create(CLOCK_MONOTONIC, &ev, &t));
	SHOW(timer_gettime(t, &cur));
	CHECK(!cur.it_value.tv_sec && !cur.it_value.tv_nsec);
	SHOW(timer_settime(t, 0, &bad, NULL));
	SHOW(timer_settime(t, 0, &its, NULL));
	SHOW(timer_gettime(t, &cur));
	CHECK(cur.it_value.tv_nsec > 0 && cur.it_value.tv_nsec <= 20000000);
	while (!count)
		pause();
	CHECK(got_value == 42 && got_code == SI_TIMER);
	/* while the signal is blocked, periods are counted */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &orig);
	SHOW(timer_settime(t, 0, &per, NULL));
	nanosleep(&ms100, NULL);
	SHOW(sigwaitinfo(&set, &si) == SIGUSR1);
	CHECK(si.si_overrun >= 10 && si.si_overrun < 1000);
	CHECK(timer_getoverrun(t) == si.si_overrun);
	SHOW(timer_settime(t, 0, &zero, &cur));
	CHECK(cur.it_interval.tv_nsec == 5000000);
	SHOW(timer_delete(t));
	SHOW(syscall(SYS_timer_delete, 4711));
	SHOW(syscall(SYS_timer_gettime, 4711, &cur));
	SHOW(syscall(SYS_timer_getoverrun, 4711));
	SHOW(syscall(SYS_timer_settime, 4711, 0, &its, NULL));
	return 0;
}
