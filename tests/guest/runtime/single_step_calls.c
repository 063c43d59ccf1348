/* Single-stepping over system calls of patched and other sites. */
#include <signal.h>
#include <sys/syscall.h>
#include "tests/guest/show.h"

static volatile int traps;
static void on_trap(int signo)
{
	traps++;
}

__attribute__((noinline)) static long stepped(long *ret_uid)
{
	long mask, uid;

	__asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
			 "movl $102, %%eax\n\tsyscall\n\tmovq %%rax, %%r8\n\tmovl $95, %%eax\n\tmovl $0x12, %%edi\n\tsyscall\n\t"
			 "movq %%rax, %%r9\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq\n\tmovq %%r8, %1\n\tmovq %%r9, %0\n\t"
			 : "=r"(mask), "=r"(uid) : : "rax", "rcx", "rdi", "r8", "r9", "r11", "memory", "cc");
	*ret_uid = uid;
	return mask;
}

int main(void)
{
	long uid;

	signal(SIGTRAP, on_trap);
	syscall(SYS_umask, 0x12);
	for (int i = 0; i < 6; i++) {
		traps = 0;
		long mask = stepped(&uid);

		printf("mask %lx uid ok %d stepped %d\n", mask, uid == getuid(), traps > 3);
	}
	return 0;
}
