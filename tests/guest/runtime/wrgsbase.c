/* A program that sets its GS base by wrgsbase, before and after its calls have become fast, and in threads. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t zeros[8192], ones[8192];

static void set_gs(uint64_t v)
{
	__asm__ volatile("wrgsbase %0" ::"r"(v) : "memory");
}
static uint64_t get_gs(void)
{
	uint64_t v;

	__asm__ volatile("rdgsbase %0" : "=r"(v));
	return v;
}
static void load(uint64_t at, uint64_t *v)
{
	__asm__ volatile("mov %%gs:(%1), %0" : "=r"(*v) : "r"(at));
}

/* Calls of several forms, some of them with errors. */
static int calls(void)
{
	int bad = 0;

	for (int i = 0; i < 20; i++) {
		bad += getppid() < 0;
		bad += syscall(SYS_getuid) != getuid();
		bad += close(-1) != -1 || errno != EBADF;
		bad += syscall(SYS_umask, 022) != 022;
	}
	return bad;
}

static void *thread(void *arg)
{
	uint64_t v;

	set_gs((uint64_t)arg);
	for (int i = 0; i < 100; i++)
		if (calls() || get_gs() != (uint64_t)arg)
			return (void *)1;
	load(8, &v);
	return v == ((uint64_t *)arg)[1] ? NULL : (void *)1;
}

int main(void)
{
	pthread_t t[4];
	void *ret;
	uint64_t v;
	int bad = 0;

	if (!(getauxval(AT_HWCAP2) & 2))
		return 77; /* no FSGSBASE */
	memset(ones, 0x11, sizeof(ones));
	umask(022);
	printf("as it was %d\n", calls());
	fflush(stdout);
	for (int i = 0; i < 3; i++) {
		uint64_t base = i == 0 ? 0 : i == 1 ? (uint64_t)zeros : (uint64_t)ones;

		if (!fork()) {
			bad = calls();
			set_gs(base);
			bad += calls();
			printf("%d: %d %d\n", i, bad, get_gs() == base);
			if (base)
				load(8, &v);
			printf("%d\n", !base || v == ((uint64_t *)base)[1]);
			fflush(stdout);
			_exit(0);
		}
		wait(NULL);
	}
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, thread, i % 2 ? zeros : ones);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &ret);
		bad += ret != NULL;
	}
	printf("threads %d\n", bad);
	fflush(stdout);
	set_gs((uint64_t)ones);
	if (!fork()) {
		printf("child %d %d\n", calls(), get_gs() == (uint64_t)ones);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	return 0;
}
