/* select: sets, what is left of the timeout, errors. */
#include "../say.h"
#include <sys/select.h>
#include <sys/syscall.h>
int main(void)
{
	struct timeval tv = {0, 0};
	fd_set r, w, x;
	int a[2];

	MUST(pipe(a));
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&x);
	FD_SET(a[0], &r);
	FD_SET(a[1], &w);
	FD_SET(a[0], &x);
	SAY(select(a[1] + 1, &r, &w, &x, &tv));
	printf("%d %d %d\n", FD_ISSET(a[0], &r), FD_ISSET(a[1], &w), FD_ISSET(a[0], &x));
	MUST(write(a[1], "x", 1));
	FD_SET(a[0], &r);
	SAY(select(a[1] + 1, &r, NULL, NULL, NULL));
	FD_SET(a[0], &r);
	SAY(select(a[0], &r, NULL, NULL, &tv));
	printf("%d\n", FD_ISSET(a[0], &r));
	FD_ZERO(&r);
	FD_SET(50, &r);
	SAY(select(51, &r, NULL, NULL, &tv));
	SAY(select(-1, NULL, NULL, NULL, &tv));
	tv.tv_usec = -1;
	SAY(select(0, NULL, NULL, NULL, &tv));
	tv = (struct timeval){-1, 0};
	SAY(select(0, NULL, NULL, NULL, &tv));
	tv = (struct timeval){0, 20000};
	SAY(select(0, NULL, NULL, NULL, &tv));
	printf("%ld %ld\n", tv.tv_sec, tv.tv_usec);
	tv = (struct timeval){1000, 0};
	FD_ZERO(&w);
	FD_SET(a[1], &w);
	SAY(select(a[1] + 1, NULL, &w, NULL, &tv));
	printf("%d\n", tv.tv_sec >= 990 && tv.tv_sec <= 1000);
	SAY(syscall(SYS_select, 5, 8L, 0L, 0L, 0L));
	SAY(syscall(SYS_select, 0, 0L, 0L, 0L, 8L));
	FD_ZERO(&r);
	FD_SET(700, &r);
	tv = (struct timeval){0, 0};
	SAY(select(1024, &r, NULL, NULL, &tv));
	return 0;
}
