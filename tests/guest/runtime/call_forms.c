/* A system call by every form of its site, often enough that each would be patched: registers, flags and
 * vector registers as the hardware leaves them. */
#include <stdint.h>
#include <sys/syscall.h>
#include "tests/guest/show.h"

struct seen {
	uint64_t rax, rcx, r11, flags, rbx, rdx, r8, r10, r12, site;
	uint8_t xmm[16];
};

#define FORM(name, before, insn, after)                                                            \
	__attribute__((noinline)) static void name(struct seen *s, long nr)                       \
	{                                                                                          \
		__asm__ volatile("movdqu (%%rsi), %%xmm5\n\t"                                      \
				 "movq $0x1234567, %%rbx\n\tmovq $0x89, %%rdx\n\tmovq $0x10, %%r8\n\t" \
				 "movq $0x11, %%r10\n\tmovq $0x12, %%r12\n\tmovq $0x5555, %%rdi\n\t" \
				 "leaq 9f(%%rip), %%r9\n\tmovq %%r9, 72(%%rsi)\n\t"               \
				 "stc\n\t" before insn "9: " after                                 \
				 "pushfq\n\tpopq 24(%%rsi)\n\t"                                    \
				 "movq %%rax, 0(%%rsi)\n\tmovq %%rcx, 8(%%rsi)\n\tmovq %%r11, 16(%%rsi)\n\t" \
				 "movq %%rbx, 32(%%rsi)\n\tmovq %%rdx, 40(%%rsi)\n\tmovq %%r8, 48(%%rsi)\n\t" \
				 "movq %%r10, 56(%%rsi)\n\tmovq %%r12, 64(%%rsi)\n\t"              \
				 "movdqu %%xmm5, 80(%%rsi)\n\t"                                    \
				 : : "S"(s), "a"(nr)                                               \
				 : "rbx", "rcx", "rdx", "rdi", "r8", "r9", "r10", "r11", "r12",    \
				   "xmm5", "memory", "cc");                                        \
	}

FORM(form_reg, "", "syscall\n", "")
FORM(form_mov, "movl $102, %%eax\n\t", "syscall\n", "")
FORM(form_movq, "movq $102, %%rax\n\t", "syscall\n", "")
FORM(form_cmp, "", "syscall\n", "cmpq $-4095, %%rax\n\t")
FORM(form_mov_umask, "movl $95, %%eax\n\t", "syscall\n", "")

static void run(const char *name, void (*form)(struct seen *, long), long nr, long want, int cmp)
{
	int bad = 0;

	for (int i = 0; i < 50; i++) {
		struct seen s;

		memset(&s, 0, sizeof(s));
		memcpy(&s, "vector register!", 16); /* read at offset 0 */
		form(&s, nr);
		bad |= s.rax != (uint64_t)want;
		bad |= s.rcx != s.site ? 2 : 0;
		bad |= !(s.r11 & 1) ? 4 : 0; /* carry was set */
		bad |= !cmp && (s.flags & 0xcd5) != (s.r11 & 0xcd5) ? 8 : 0;
		bad |= cmp && (s.flags & 1) != (want >= 0 || want < -4095) ? 16 : 0;
		bad |= s.rbx != 0x1234567 || s.rdx != 0x89 || s.r8 != 0x10 || s.r10 != 0x11 || s.r12 != 0x12 ? 32 : 0;
		bad |= memcmp(s.xmm, "vector register!", 16) ? 64 : 0;
	}
	printf("%s: %d\n", name, bad);
}

int main(void)
{
	long uid = getuid();

	syscall(SYS_umask, 0x155);
	run("number in a register", form_reg, SYS_getuid, uid, 0);
	run("mov to eax", form_mov, 0, uid, 0);
	run("mov to rax", form_movq, 0, uid, 0);
	run("syscall, cmp", form_cmp, SYS_getuid, uid, 1);
	run("syscall, cmp, no such call", form_cmp, 471, -ENOSYS, 1);
	run("a call for the kernel", form_mov_umask, 0, 0x155, 0);
	run("a call for the kernel, cmp", form_cmp, SYS_umask, 0x155, 1);
	run("no such call", form_reg, 100000, -ENOSYS, 0);
	run("only the low half counts", form_reg, (5l << 32) | SYS_getuid, uid, 0);
	return 0;
}
