/* The ways into the runtime and out of it again.
 *
 * Whatever way a call or an interruption comes in, the guest's integer registers stand complete in
 * sbx_thread.regs before C runs, and rt_exit loads them from there. A kick that lands between the
 * last look at `kicked` and the jump to the guest restarts rt_exit (signal.c), which is why nothing in
 * [rt_exit, rt_exit_end) may change what it reads. Vector registers are never touched.
 */
#include "asm.h"

	.section .header, "ax", @progbits
	.globl stub_header
stub_header:
	.quad 0x62757473786273
	.long 1
	.long stub_end - stub_header
	.long stub_text_begin - stub_header
	.long stub_text_end - stub_header
	.long rt_blank_entry - stub_header
	.long rt_signal_entry - stub_header
	.long rt_restorer - stub_header
	.long 0

	.section .text.hot, "ax", @progbits

/* From a trampoline: eax = number, rcx = return address, everything else the guest's. */
	.balign 64
	.globl rt_entry
rt_entry:
	movq %rcx, %gs:R_RIP
	movq $0, %gs:T_TRAMP
rt_entry_common:
	movq %rsp, %gs:R_RSP
	movq %gs:T_STACK_TOP, %rsp
	pushfq
	cld
	popq %r11
	movq %r11, %gs:R_EFLAGS
	movq %r11, %gs:R_R11
	movq %rcx, %gs:R_RCX
	movq %rax, %gs:R_RAX
	movq %rax, %gs:R_ORIG_RAX
	movq %rdi, %gs:R_RDI
	movq %rsi, %gs:R_RSI
	movq %rdx, %gs:R_RDX
	movq %r10, %gs:R_R10
	movq %r8, %gs:R_R8
	movq %r9, %gs:R_R9
	movq %rbx, %gs:R_RBX
	movq %rbp, %gs:R_RBP
	movq %r12, %gs:R_R12
	movq %r13, %gs:R_R13
	movq %r14, %gs:R_R14
	movq %r15, %gs:R_R15
	movl $1, %gs:T_SITE_KIND
	movq %gs:T_SELF, %rdi
	xorl %ebp, %ebp
	call rt_syscall
	/* falls through */

	.globl rt_exit
rt_exit:
	movq %gs:T_STACK_TOP, %rsp
	cmpq $0, %gs:T_KICKED
	jne 1f
	pushq %gs:R_EFLAGS
	popfq
	movq %gs:R_R15, %r15
	movq %gs:R_R14, %r14
	movq %gs:R_R13, %r13
	movq %gs:R_R12, %r12
	movq %gs:R_RBP, %rbp
	movq %gs:R_RBX, %rbx
	movq %gs:R_R11, %r11
	movq %gs:R_R10, %r10
	movq %gs:R_R9, %r9
	movq %gs:R_R8, %r8
	movq %gs:R_RAX, %rax
	movq %gs:R_RCX, %rcx
	movq %gs:R_RDX, %rdx
	movq %gs:R_RSI, %rsi
	movq %gs:R_RDI, %rdi
	movq %gs:R_RSP, %rsp
	jmp *%gs:R_RIP
	.globl rt_exit_end
rt_exit_end:
1:
	movq %gs:T_SELF, %rdi
	call rt_exit_work
	jmp rt_exit

/* From the trampoline of a site with an instruction to follow: r11 = the trampoline. */
	.balign 16
	.globl rt_entry_follow
rt_entry_follow:
	movq %rcx, %gs:R_RIP
	movq %r11, %gs:T_TRAMP
	jmp rt_entry_common

/* The calls that only read a word of the slot. No flag is changed, so none is restored. A kick that
 * lands in here is handled as if the call were over (signal.c knows the stride and the order). */
	.macro FAST field
	.balign FAST_STRIDE
	movq %rcx, %gs:T_FAST_RET
	movq %gs:T_SLOT, %r11
	movl S_TRACE(%r11), %ecx
	jrcxz 1f
	jmp rt_fast_slow
1:	movslq \field(%r11), %rax
	movq %rsp, %gs:T_FAST_RSP
	movq %gs:T_STACK_TOP, %rsp
	pushfq
	popq %r11
	jmp rt_fast_out
	.endm

	.balign FAST_STRIDE
	.globl rt_fast
rt_fast:
	FAST S_PID
	FAST S_TID
	FAST S_PPID
	FAST S_UID
	FAST S_EUID
	FAST S_GID
	FAST S_EGID
	.balign FAST_STRIDE
	.globl rt_fast_out
rt_fast_out:
	movq %gs:T_FAST_RSP, %rsp
	movq %gs:T_FAST_RET, %rcx
	jmp *%rcx
	.globl rt_fast_end
rt_fast_end:
rt_fast_slow:
	movq %gs:T_FAST_RET, %rcx
	jmp rt_entry

/* Where the signal handler sends a thread (by the host's rt_sigreturn), registers already in
 * sbx_thread.regs, on the runtime stack. */
	.macro CONT name, fn
	.balign 16
	.globl \name
\name:
	movq %gs:T_SELF, %rdi
	xorl %ebp, %ebp
	call \fn
	jmp rt_exit
	.endm
	CONT rt_cont_syscall, rt_syscall
	CONT rt_cont_kicked, rt_kicked
	CONT rt_cont_fault, rt_fault

	.text
/* The host's handler of every signal. The thread area is found by the signal stack, for GS may be
 * anything. rt_signal returns the GS base to go on with. */
	.balign 16
	.globl rt_signal_entry
rt_signal_entry:
	movq %rsp, %rcx
	andq $-0x10000, %rcx
	rdgsbase %r8
	wrgsbase %rcx
	subq $8, %rsp
	call rt_signal
	addq $8, %rsp
	wrgsbase %rax
	ret
	.globl rt_restorer
rt_restorer:
	movl $15, %eax
	syscall
	ud2

/* void rt_exit_frame(frame, gs): leaves through a host rt_sigreturn of a frame on the runtime stack.
 * A kick in [rt_exit_frame, rt_exit_frame_end) goes back to rt_exit. */
	.balign 16
	.globl rt_exit_frame
rt_exit_frame:
	cmpl $0, %gs:T_KICKED
	jne rt_exit
	movq %rdi, %rsp
	wrgsbase %rsi
	movl $15, %eax
	syscall
	.globl rt_exit_frame_end
rt_exit_frame_end:
	ud2

/* long rt_hostcall_intr(nr, args[6]): a host call that a kick ends with -EINTR, also one that came just
 * before it. A kick in [rt_hostcall_intr, rt_hostcall_intr_end) goes to rt_hostcall_intr_out. */
	.balign 16
	.globl rt_hostcall_intr
rt_hostcall_intr:
	cmpl $0, %gs:T_KICKED
	jne rt_hostcall_intr_out
	movq %rdi, %rax
	movq %rsi, %r11
	movq 0(%r11), %rdi
	movq 8(%r11), %rsi
	movq 16(%r11), %rdx
	movq 24(%r11), %r10
	movq 32(%r11), %r8
	movq 40(%r11), %r9
	syscall
	.globl rt_hostcall_intr_end
rt_hostcall_intr_end:
	ret
	.globl rt_hostcall_intr_out
rt_hostcall_intr_out:
	movq $-4, %rax
	ret

/* long rt_clone_thread(flags, stack_top, ctid): the new thread's area is that of its stack. */
	.balign 16
	.globl rt_clone_thread
rt_clone_thread:
	movq %rdx, %r10
	xorl %edx, %edx
	xorl %r8d, %r8d
	movl $56, %eax
	syscall
	testq %rax, %rax
	jz 1f
	ret
1:	movq %rsp, %rdi
	decq %rdi
	andq $-0x10000, %rdi
	wrgsbase %rdi
	xorl %ebp, %ebp
	call rt_thread_start
	jmp rt_exit

/* A blank process: edi = thread index, rsi = ranges to unmap. */
	.balign 16
	.globl rt_blank_entry
rt_blank_entry:
	movl %edi, %edi
	movq %rdi, %rdx
	shlq $16, %rdx
	leaq stub_header(%rip), %rax
	leaq 0x200000(%rax, %rdx), %rdx
	wrgsbase %rdx
	leaq 0x8000(%rdx), %rsp
	movq %rsi, %rcx
	movl %edi, %esi
	movq %rdx, %rdi
	movq %rax, %rdx
	xorl %ebp, %ebp
	cld
	/* rdi = thread area, esi = index, rdx = base, rcx = ranges */
	call rt_blank_start
	jmp rt_exit

	.section .note.GNU-stack, "", @progbits
