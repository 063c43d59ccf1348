/* Calls with every register known before and seen after. */
	.text
	.macro PROBE name
	.globl \name
	.type \name, @function
\name:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushfq
	movq %rdi, probe_ptr(%rip)
	movq %rsp, probe_rsp(%rip)
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu (288 + 32 * \n)(%rdi), %ymm\n
	.endr
	pushq 120(%rdi)
	popfq
	movq 0(%rdi), %r15
	movq 8(%rdi), %r14
	movq 16(%rdi), %r13
	movq 24(%rdi), %r12
	movq 32(%rdi), %rbp
	movq 40(%rdi), %rbx
	movq 48(%rdi), %r11
	movq 56(%rdi), %r10
	movq 64(%rdi), %r9
	movq 72(%rdi), %r8
	movq 80(%rdi), %rax
	movq 88(%rdi), %rcx
	movq 96(%rdi), %rdx
	movq 104(%rdi), %rsi
	movq 112(%rdi), %rdi
	.endm
	.macro PROBE_END
	movq %rsp, probe_rsp_out(%rip)
	movq %rdi, probe_rdi(%rip)
	movq probe_ptr(%rip), %rdi
	movq %r15, 136+0(%rdi)
	movq %r14, 136+8(%rdi)
	movq %r13, 136+16(%rdi)
	movq %r12, 136+24(%rdi)
	movq %rbp, 136+32(%rdi)
	movq %rbx, 136+40(%rdi)
	movq %r11, 136+48(%rdi)
	movq %r10, 136+56(%rdi)
	movq %r9, 136+64(%rdi)
	movq %r8, 136+72(%rdi)
	movq %rax, 136+80(%rdi)
	movq %rcx, 136+88(%rdi)
	movq %rdx, 136+96(%rdi)
	movq %rsi, 136+104(%rdi)
	movq probe_rdi(%rip), %rsi
	movq %rsi, 136+112(%rdi)
	movq probe_rsp(%rip), %rsp
	pushfq
	popq 136+120(%rdi)
	movq probe_rsp_out(%rip), %rsi
	subq probe_rsp(%rip), %rsi
	movq %rsi, 136+128(%rdi)
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu %ymm\n, (800 + 32 * \n)(%rdi)
	.endr
	vzeroupper
	popfq
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.endm

	PROBE probe_reg
	syscall
	.globl probe_reg_ret
probe_reg_ret:
	PROBE_END

	PROBE probe_mov_getppid
	movl $110, %eax
	syscall
	.globl probe_mov_getppid_ret
probe_mov_getppid_ret:
	PROBE_END

	PROBE probe_mov_umask
	movl $95, %eax
	syscall
	.globl probe_mov_umask_ret
probe_mov_umask_ret:
	PROBE_END

	PROBE probe_movq_umask
	movq $95, %rax
	syscall
	.globl probe_movq_umask_ret
probe_movq_umask_ret:
	PROBE_END

	PROBE probe_mov_yield
	movl $24, %eax
	syscall
	.globl probe_mov_yield_ret
probe_mov_yield_ret:
	PROBE_END

	PROBE probe_cmp
	syscall
	.globl probe_cmp_ret
probe_cmp_ret:
	cmpq $-4095, %rax
	PROBE_END

/* long raw_call(nr, a, b, c, d, e, f) */
	.globl raw_call
raw_call:
	movq %rdi, %rax
	movq %rsi, %rdi
	movq %rdx, %rsi
	movq %rcx, %rdx
	movq %r8, %r10
	movq %r9, %r8
	movq 8(%rsp), %r9
	syscall
	ret

	.globl loop_getppid
loop_getppid:
	movq %rdi, %r8
1:	movl $110, %eax
	syscall
	decq %r8
	jnz 1b
	ret

	.globl loop_native_getppid
loop_native_getppid:
	movq %rdi, %r8
1:	movl $110, %eax
	syscall
	decq %r8
	jnz 1b
	ret

	.globl loop_umask
loop_umask:
	movq %rdi, %r8
1:	movl $95, %eax
	syscall
	decq %r8
	jnz 1b
	ret

	.globl loop_sigsys
loop_sigsys:
	movq %rdi, %r8
1:	movl $110, %eax
	nop
	syscall
	decq %r8
	jnz 1b
	ret

/* A loop that only looks at its own registers: rdi = struct { counter, stop, bad }. */
	.globl loop_regs
loop_regs:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq $0x1111, %rbx
	movq $0x2222, %rbp
	movq $0x3333, %r12
	movq $0x4444, %r13
	movq $0x5555, %r14
	movq $0x6666, %r15
	movq $0x7777, -64(%rsp)
	vpcmpeqb %ymm7, %ymm7, %ymm7
	vpsrlw $3, %ymm7, %ymm7
	vmovdqa %ymm7, %ymm8
1:	incq (%rdi)
	cmpq $0x1111, %rbx
	jne 2f
	cmpq $0x2222, %rbp
	jne 2f
	cmpq $0x3333, %r12
	jne 2f
	cmpq $0x4444, %r13
	jne 2f
	cmpq $0x5555, %r14
	jne 2f
	cmpq $0x6666, %r15
	jne 2f
	cmpq $0x7777, -64(%rsp)
	jne 2f
	vpxor %ymm7, %ymm8, %ymm9
	vptest %ymm9, %ymm9
	jnz 2f
	cmpl $0, 16(%rdi)
	je 3f
	movl 20(%rdi), %eax
	movq %rdi, %r8
	xorl %edi, %edi
	cmpl $110, %eax
	jne 4f
	movl $110, %eax
	syscall
	jmp 5f
4:	cmpl $95, %eax
	jne 6f
	movl $95, %eax
	syscall
	jmp 5f
6:	movl $24, %eax
	syscall
5:	movq %r8, %rdi
3:	cmpl $0, 8(%rdi)
	je 1b
	xorl %eax, %eax
7:	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	vzeroupper
	ret
2:	movl $1, %eax
	jmp 7b

/* Makes every vector register something else. */
	.globl clobber_vectors
clobber_vectors:
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vpcmpeqb %ymm\n, %ymm\n, %ymm\n
	.endr
	ret

	.globl guest_restorer
guest_restorer:
	movq $15, %rax
	syscall
	ud2

	.section .data
	.balign 8
	.local probe_ptr
probe_ptr: .quad 0
probe_rsp: .quad 0
probe_rsp_out: .quad 0
probe_rdi: .quad 0
	.section .note.GNU-stack, "", @progbits
