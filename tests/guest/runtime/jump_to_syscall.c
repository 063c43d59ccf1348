/* Entering a call site behind its `mov $nr, %eax`, with another number, before and after the site was used
 * often. */
#include <sys/syscall.h>
#include "tests/guest/show.h"

extern char site_mov[], site_syscall[];
__attribute__((noinline)) static long call_at(void *where, long nr)
{
	long r;

	__asm__ volatile("call *%1" : "=a"(r) : "r"(where), "a"(nr) : "rcx", "r11", "memory");
	return r;
}
__asm__(".text\n.globl site_mov, site_syscall\nsite_mov: movl $102, %eax\nsite_syscall: syscall\nret\n");

int main(void)
{
	int bad = 0;

	for (int i = 0; i < 100; i++) {
		bad |= call_at(site_mov, SYS_getpid) != getuid();
		bad |= call_at(site_syscall, SYS_getpid) != getpid() ? 2 : 0;
		bad |= call_at(site_syscall, SYS_getppid) != getppid() ? 4 : 0;
		bad |= call_at(site_syscall, 100000) != -ENOSYS ? 8 : 0;
	}
	printf("%d\n", bad);
	return 0;
}
