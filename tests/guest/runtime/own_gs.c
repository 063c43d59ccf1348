/* A program that uses GS for itself, set by the kernel and by the instruction. */
#include <sys/auxv.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "tests/guest/show.h"

static long words[4] = {10, 20, 30, 40};
static long gs8(void)
{
	long v;

	__asm__ volatile("movq %%gs:8, %0" : "=r"(v));
	return v;
}

int main(void)
{
	unsigned long base = 1;

	SHOW(syscall(SYS_arch_prctl, 0x1004, &base));
	printf("base %lx\n", base);
	for (int i = 0; i < 5; i++)
		getppid();
	SHOW(syscall(SYS_arch_prctl, 0x1001, words));
	for (int i = 0; i < 5; i++) {
		getppid();
		sched_yield();
		access("/", 0);
		printf("%ld\n", gs8());
	}
	fflush(stdout);
	if (!fork()) {
		printf("child %ld\n", gs8());
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	SHOW(syscall(SYS_arch_prctl, 0x1004, &base));
	printf("base ok %d\n", base == (unsigned long)words);
	SHOW(syscall(SYS_arch_prctl, 0x1001, 1ul << 63));
	if (getauxval(AT_HWCAP2) & 2) {
		__asm__ volatile("wrgsbase %0" : : "r"(words + 1));
		getppid();
	} else {
		syscall(SYS_arch_prctl, 0x1001, words + 1);
	}
	printf("%ld\n", gs8());
	return 0;
}
