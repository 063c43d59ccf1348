/* timerfd: one shot, periodic, absolute, reading what is left, errors. */
#include "../say.h"
#include <poll.h>
#include <sys/timerfd.h>
#define MS(n) {(n) / 1000, (n) % 1000 * 1000000L}
int main(void)
{
	struct itimerspec its = {{0, 0}, MS(30)}, old;
	uint64_t v;
	long start;
	struct pollfd p;
	int fd = MUST(timerfd_create(CLOCK_MONOTONIC, 0)), nb;

	SAY(timerfd_create(77, 0));
	SAY(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	SAY(timerfd_create(CLOCK_REALTIME, 5));
	nb = MUST(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
	SAY(read(nb, &v, 8));
	SAY(timerfd_gettime(nb, &old));
	printf("%ld %ld\n", old.it_value.tv_sec, old.it_value.tv_nsec);
	start = now_ms();
	SAY(timerfd_settime(fd, 0, &its, &old));
	SAY(read(fd, &v, 8));
	printf("%llu %d\n", (unsigned long long)v, now_ms() - start >= 29);
	p = (struct pollfd){fd, POLLIN, 0};
	SAY(poll(&p, 1, 0));
	its = (struct itimerspec){MS(10), MS(10)};
	SAY(timerfd_settime(fd, 0, &its, NULL));
	sleep_ms(55);
	SAY(poll(&p, 1, 0));
	SAY(read(fd, &v, 8));
	printf("%d\n", v >= 4 && v <= 40);
	SAY(timerfd_gettime(fd, &old));
	printf("%ld %ld %d\n", old.it_interval.tv_sec, old.it_interval.tv_nsec,
	       old.it_value.tv_sec == 0 && old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 10000000);
	SAY(read(fd, &v, 8));
	its = (struct itimerspec){{0, 0}, {100, 0}};
	SAY(timerfd_settime(fd, 0, &its, &old));
	printf("%ld\n", old.it_interval.tv_nsec);
	its = (struct itimerspec){{0, 0}, {0, 0}};
	SAY(timerfd_settime(fd, 0, &its, &old));
	printf("%d\n", old.it_value.tv_sec == 99);
	clock_gettime(CLOCK_REALTIME, &its.it_value);
	its.it_value.tv_sec -= 5;
	its.it_interval = (struct timespec){2, 0};
	SAY(timerfd_settime(nb, TFD_TIMER_ABSTIME, &its, NULL));
	p.fd = nb;
	SAY(poll(&p, 1, 1000));
	SAY(read(nb, &v, 8));
	printf("%llu\n", (unsigned long long)v);
	SAY(read(nb, &v, 8));
	its.it_value.tv_nsec = 1000000000;
	SAY(timerfd_settime(nb, 0, &its, NULL));
	its.it_value = (struct timespec){-1, 0};
	SAY(timerfd_settime(nb, 0, &its, NULL));
	its.it_value = (struct timespec){1, 0};
	SAY(timerfd_settime(nb, 99, &its, NULL));
	SAY(timerfd_settime(0, 0, &its, NULL));
	SAY(timerfd_settime(99, 0, &its, NULL));
	SAY(timerfd_settime(nb, 0, BAD, NULL));
	SAY(timerfd_settime(nb, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL));
	SAY(read(nb, &v, 4));
	SAY(poll(&p, 1, 1000));
	SAY(read(nb, &v, 8) == 8 && v > 1000);
	SAY(write(nb, &v, 8));
	return 0;
}
