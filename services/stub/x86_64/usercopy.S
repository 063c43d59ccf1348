/* Guest memory that may not be there. An entry of .extable says: a host fault at an instruction in
 * [begin, end) goes on at fixup (each a distance from where it stands; signal.c). */

#include "asm.h"

	.macro EX begin, end, fixup
	.pushsection .extable, "a", @progbits
	.long \begin - .
	.long \end - .
	.long \fixup - .
	.popsection
	.endm

	.text
/* uint64_t rt_copy(void *dst, const void *src, uint64_t size): the number of bytes not copied. */
	.balign 16
	.globl rt_copy
rt_copy:
	movq %rdx, %rcx
	cmpq $8, %rdx
	jne 2f
1:	movq (%rsi), %rax
	movq %rax, (%rdi)
3:	xorl %eax, %eax
	ret
2:	rep movsb
4:	movq %rcx, %rax
	ret
	EX 1b, 3b, 4b
	EX 2b, 4b, 4b

/* uint64_t rt_zero(void *dst, uint64_t size): the number of bytes not cleared. */
	.balign 16
	.globl rt_zero
rt_zero:
	movq %rsi, %rcx
	xorl %eax, %eax
1:	rep stosb
2:	movq %rcx, %rax
	ret
	EX 1b, 2b, 2b

/* long rt_copy_str(char *dst, const char *src, uint64_t max): length with the NUL; 0 when it faults or
 * has no end within max. */
	.balign 16
	.globl rt_copy_str
rt_copy_str:
	movq %rdi, %r8
	movabsq $0x0101010101010101, %r10
	movabsq $0x8080808080808080, %r11
1:	cmpq $8, %rdx
	jb 4f
	movl %esi, %eax
	andl $0xfff, %eax
	cmpl $0xff8, %eax
	ja 4f
2:	movq (%rsi), %rax
3:	movq %rax, %rcx
	movq %rax, %r9
	notq %r9
	subq %r10, %rcx
	andq %r9, %rcx
	andq %r11, %rcx
	movq %rax, (%rdi)
	jnz 7f
	addq $8, %rsi
	addq $8, %rdi
	subq $8, %rdx
	jmp 1b
/* Near the end of a page, or of the room. */
4:	testq %rdx, %rdx
	jz 8f
5:	movzbl (%rsi), %eax
6:	movb %al, (%rdi)
	incq %rsi
	incq %rdi
	decq %rdx
	testb %al, %al
	jnz 1b
	movq %rdi, %rax
	subq %r8, %rax
	ret
7:	bsfq %rcx, %rcx
	shrl $3, %ecx
	leaq 1(%rdi, %rcx), %rax
	subq %r8, %rax
	ret
8:	xorl %eax, %eax
	ret
	EX 2b, 3b, 8b
	EX 5b, 6b, 8b

/* int rt_cmpxchg32(uint32_t *p, uint32_t old, uint32_t new, uint32_t *ret_seen): 0 or -EFAULT. */
	.balign 16
	.globl rt_cmpxchg32
rt_cmpxchg32:
	movl %esi, %eax
1:	lock cmpxchgl %edx, (%rdi)
2:	movl %eax, (%rcx)
	xorl %eax, %eax
	ret
3:	movl $-14, %eax
	ret
	EX 1b, 2b, 3b

/* int rt_cmpxchg64(uint64_t *p, uint64_t old, uint64_t new): 1 done, 0 not, -EFAULT. */
	.balign 16
	.globl rt_cmpxchg64
rt_cmpxchg64:
	movq %rsi, %rax
1:	lock cmpxchgq %rdx, (%rdi)
2:	sete %al
	movzbl %al, %eax
	ret
3:	movl $-14, %eax
	ret
	EX 1b, 2b, 3b

/* int rt_cmpxchg128(void *p, uint64_t old[2], uint64_t new[2]): likewise; p is 16-byte aligned. */
	.balign 16
	.globl rt_cmpxchg128
rt_cmpxchg128:
	pushq %rbx
	movq %rdx, %r8
	movq (%rsi), %rax
	movq 8(%rsi), %rdx
	movq (%r8), %rbx
	movq 8(%r8), %rcx
1:	lock cmpxchg16b (%rdi)
2:	sete %al
	movzbl %al, %eax
	popq %rbx
	ret
3:	popq %rbx
	movl $-14, %eax
	ret
	EX 1b, 2b, 3b

/* int rt_xsave(void *buf, uint64_t mask), int rt_xrstor(const void *buf, uint64_t mask): 0 or -EFAULT. */
	.balign 16
	.globl rt_xsave
rt_xsave:
	movl %esi, %eax
	movq %rsi, %rdx
	shrq $32, %rdx
1:	xsave64 (%rdi)
2:	xorl %eax, %eax
	ret
3:	movl $-14, %eax
	ret
	EX 1b, 2b, 3b
	.balign 16
	.globl rt_xrstor
rt_xrstor:
	movl %esi, %eax
	movq %rsi, %rdx
	shrq $32, %rdx
1:	xrstor64 (%rdi)
2:	xorl %eax, %eax
	ret
3:	movl $-14, %eax
	ret
	EX 1b, 2b, 3b

/* int rt_wrfsbase(uint64_t value): 0 or -EPERM for what is no address. */
	.balign 16
	.globl rt_wrfsbase
rt_wrfsbase:
1:	wrfsbase %rdi
2:	xorl %eax, %eax
	ret
3:	movl $-1, %eax
	ret
	EX 1b, 2b, 3b

/* long rt_vdso_call(void *fn, long id, void *ts, struct sbx_thread *t): -ENOSYS when it faults. The
 * compiler of the vDSO may use SSE registers, which a system call keeps: so do we. */
	.balign 16
	.globl rt_vdso_call
rt_vdso_call:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	subq $(8 + 256), %rsp
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movaps %xmm\n, 16 * \n(%rsp)
	.endr
	movq %rdi, %rax
	movq %rsi, %rdi
	movq %rdx, %rsi
	movq %rsp, T_VDSO_RSP(%rcx)
	movl $1, T_IN_VDSO(%rcx)
	call *%rax
1:	movl $0, %gs:T_IN_VDSO
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movaps 16 * \n(%rsp), %xmm\n
	.endr
	addq $(8 + 256), %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret
	.globl rt_vdso_fault
rt_vdso_fault:
	movq $-38, %rax
	jmp 1b

/* void *memcpy, memset: the compiler may ask for them. */
	.balign 16
	.globl memcpy
	.globl memmove
memcpy:
memmove:
	movq %rdi, %rax
	movq %rdx, %rcx
	rep movsb
	ret
	.globl memset
memset:
	movq %rdi, %r8
	movl %esi, %eax
	movq %rdx, %rcx
	rep stosb
	movq %r8, %rax
	ret

	.section .note.GNU-stack, "", @progbits
