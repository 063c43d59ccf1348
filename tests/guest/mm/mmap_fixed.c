/* MAP_FIXED replaces, partial unmapping leaves the rest, neighbours stay intact. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static sigjmp_buf env;
static void on_segv(int s)
{
	siglongjmp(env, s);
}
static const char *peek(volatile char *p)
{
	static char text[16];

	if (sigsetjmp(env, 1))
		return "fault";
	snprintf(text, sizeof(text), "%d", *p);
	return text;
}

int main(void)
{
	signal(SIGSEGV, on_segv);
	char *p = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < 5; i++)
		p[i * 4096] = (char)(i + 1);
	munmap(p + 4096, 4096);
	char *q = mmap(p + 3 * 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	printf("%d\n", q == p + 3 * 4096);
	for (int i = 0; i < 5; i++)
		printf("page %d: %s\n", i, peek(p + i * 4096));
	q = mmap(p + 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	printf("hole filled %d\n", q == p + 4096);
	printf("page 1: %s\n", peek(p + 4096));
	munmap(p, 5 * 4096);
	for (int i = 0; i < 5; i++)
		printf("page %d: %s\n", i, peek(p + i * 4096));
	return 0;
}
