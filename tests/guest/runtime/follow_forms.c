/* What may stand behind a system call, each often enough to be patched: it still happens, whether the call
 * before it ran or a jump leads straight to it. */
#include <stdint.h>
#include <sys/syscall.h>
#include "tests/guest/show.h"

/* rdi: 0 make the call; 1 jump behind it with rax as given. Result: a mix of registers and flags. */
#define FORM(name, follow)                                                                         \
	long name(long jump, long nr, long seed);                                                  \
	__asm__(".text\n" #name ":\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\tpushq %rbp\n\t" \
		"movq %rdx, %rbx\n\tmovq %rdx, %r12\n\tmovq %rdx, %r13\n\tmovq %rdx, %r14\n\t"     \
		"movq %rdx, %r15\n\tmovq %rdx, %rbp\n\tmovq %rdx, %r8\n\tmovq %rdx, %r9\n\tmovq %rdx, %r10\n\t" \
		"movq %rsi, %rax\n\tmovq %rdx, %rsi\n\tcmpq $1, %rdi\n\tmovq %rdx, %rdi\n\tmovl $0, %edx\n\tclc\n\tje 2f\n\t" \
		"xorl %ecx, %ecx\n\tsyscall\n2:\t" follow                                          \
		"\n\tmovl $3, %r11d\n\tjmp 4f\n3:\tmovl $7, %r11d\n4:\tpushfq\n\tpopq %rcx\n\tandl $0xc5, %ecx\n\t" \
		"imulq $3, %rdi\n\timulq $5, %rsi\n\timulq $7, %rdx\n\timulq $11, %rbx\n\timulq $13, %rbp\n\timulq $17, %r8\n\t" \
		"imulq $19, %r9\n\timulq $23, %r10\n\timulq $29, %r12\n\timulq $31, %r13\n\timulq $37, %r14\n\timulq $41, %r15\n\t" \
		"addq %rcx, %rax\n\taddq %rdi, %rax\n\taddq %rsi, %rax\n\taddq %rdx, %rax\n\taddq %rbx, %rax\n\t" \
		"addq %rbp, %rax\n\taddq %r8, %rax\n\taddq %r9, %rax\n\taddq %r10, %rax\n\taddq %r12, %rax\n\t" \
		"addq %r13, %rax\n\taddq %r14, %rax\n\taddq %r15, %rax\n\timulq $1000, %r11\n\taddq %r11, %rax\n\t" \
		"popq %rbp\n\tpopq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tret\n");

FORM(f_cmp64, "cmpq $-4096, %rax")
FORM(f_cmp32, "cmpl $-4096, %eax")
FORM(f_cmp64_8, "cmpq $-38, %rax")
FORM(f_cmp32_8, "cmpl $-38, %eax")
FORM(f_test64, "testq %rax, %rax")
FORM(f_test_je, "testl %eax, %eax\n\tje 3f")
FORM(f_test_jne, "testl %eax, %eax\n\tjne 3f")
FORM(f_test_js, "testl %eax, %eax\n\tjs 3f")
FORM(f_test_jns, "testl %eax, %eax\n\tjns 3f")
FORM(f_rdi, "movq %rax, %rdi\n\ttestl %eax, %eax")
FORM(f_rdx, "movq %rax, %rdx\n\ttestl %eax, %eax")
FORM(f_rbp, "movq %rax, %rbp\n\ttestl %eax, %eax")
FORM(f_r12, "movq %rax, %r12\n\ttestl %eax, %eax")
FORM(f_r10d, "movl %eax, %r10d\n\ttestl %eax, %eax")
FORM(f_r15d, "movl %eax, %r15d\n\ttestl %eax, %eax")
FORM(f_slq_rdi, "movslq %eax, %rdi\n\ttestl %eax, %eax")
FORM(f_slq_r13, "movslq %eax, %r13\n\ttestl %eax, %eax")
FORM(f_ebx, "movl %eax, %ebx\n\ttestl %eax, %eax")
FORM(f_nop, "nop\n\ttestl %eax, %eax")

/* A function that ends behind the call. */
long f_ret(long jump, long nr, long seed);
__asm__(".text\n.balign 16\n7: movl $18, %edi\n\tcmpl $12345, %eax\n\tje 8f\n\tsyscall\n8:\tret\n\tnopw 0x0(%rax,%rax,1)\n"
	"f_ret:\n\tmovq %rsi, %rax\n\tcall 7b\n\timulq $3, %rax\n\tret\n");

static const struct {
	const char *name;
	long (*fn)(long, long, long);
} forms[] = {
#define F(n) {#n, n}
	F(f_cmp64), F(f_cmp32), F(f_cmp64_8), F(f_cmp32_8), F(f_test64), F(f_test_je), F(f_test_jne),
	F(f_test_js), F(f_test_jns), F(f_rdi), F(f_rdx), F(f_rbp), F(f_r12), F(f_r10d), F(f_r15d),
	F(f_slq_rdi), F(f_slq_r13), F(f_ebx), F(f_nop), F(f_ret),
};

int main(void)
{
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		long first[3] = {0}, same = 1;

		for (int n = 0; n < 12; n++) {
			long none = forms[i].fn(0, 5000, 77);            /* ENOSYS */
			long zero = forms[i].fn(0, SYS_sched_yield, 78); /* 0 */
			long mask = forms[i].fn(0, SYS_umask, 022);      /* once set: 18 */
			long behind = forms[i].fn(1, 12345, 79);

			if (n == 1) {
				first[0] = none;
				first[1] = zero;
				first[2] = mask ^ behind;
			}
			same &= n < 1 || (first[0] == none && first[1] == zero && first[2] == (mask ^ behind));
		}
		printf("%s: %lx %lx %lx %ld\n", forms[i].name, first[0], first[1], first[2], same);
	}
	return 0;
}
