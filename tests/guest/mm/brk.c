/* brk(2): the heap grows, shrinks, keeps its content and comes back as zeros. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	long r;

	char *start = sbrk(0), *p = sbrk(100000);

	setvbuf(stdout, NULL, _IONBF, 0);
	printf("grows from the end %d\n", p == start);
	memset(p, 7, 100000);
	printf("end moved by %ld\n", (long)((char *)sbrk(0) - start));
	printf("shrink %d\n", brk(start + 5000));
	printf("kept %d %d\n", p[0], p[4999]);
	printf("again %d\n", brk(start + 100000));
	/* The page that stayed keeps what it had; the ones that went are new. */
	printf("kept %d, new %d\n", p[4999], p[20000]);
	printf("below the start: %d\n", syscall(SYS_brk, 4096) == (long)sbrk(0));
	errno = 0;
	r = brk((char *)0x7fffffffffff);
	printf("far too high: %ld %s\n", r, strerror(errno));
	struct rlimit lim = {1 << 20, 1 << 20};

	printf("limit %d\n", setrlimit(RLIMIT_DATA, &lim));
	errno = 0;
	r = sbrk(16 << 20) == (void *)-1;
	printf("past the limit %ld %s\n", r, strerror(errno));
	printf("heap intact %d\n", p[0]);
	return 0;
}
