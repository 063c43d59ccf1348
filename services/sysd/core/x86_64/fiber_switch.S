/* fiber_switch_sp(void **save_sp, void *load_sp): keeps the callee-saved registers of the System V ABI
 * on the old stack and takes those of the new one. The floating point control words are not
 * switched: no kernel code changes them. */
	.text
	.globl fiber_switch_sp
	.type fiber_switch_sp, @function
fiber_switch_sp:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size fiber_switch_sp, . - fiber_switch_sp

/* First frame of a fiber: r12 = fn, r13 = arg. */
	.globl fiber_entry
	.type fiber_entry, @function
fiber_entry:
	.cfi_startproc
	.cfi_undefined rip
	movq %r13, %rdi
	xorl %ebp, %ebp
	callq *%r12
	ud2
	.cfi_endproc
	.size fiber_entry, . - fiber_entry
	.section .note.GNU-stack,"",@progbits
