/* Guest ABI of ptrace(2) (x86-64 Linux). */
#ifndef SYSD_ABI_PTRACE_H
#define SYSD_ABI_PTRACE_H

#include <stdint.h>

#define ABI_PTRACE_TRACEME 0
#define ABI_PTRACE_PEEKTEXT 1
#define ABI_PTRACE_PEEKDATA 2
#define ABI_PTRACE_PEEKUSER 3
#define ABI_PTRACE_POKETEXT 4
#define ABI_PTRACE_POKEDATA 5
#define ABI_PTRACE_POKEUSER 6
#define ABI_PTRACE_CONT 7
#define ABI_PTRACE_KILL 8
#define ABI_PTRACE_SINGLESTEP 9
#define ABI_PTRACE_GETREGS 12
#define ABI_PTRACE_SETREGS 13
#define ABI_PTRACE_ATTACH 16
#define ABI_PTRACE_DETACH 17
#define ABI_PTRACE_SYSCALL 24
#define ABI_PTRACE_SETOPTIONS 0x4200
#define ABI_PTRACE_GETEVENTMSG 0x4201
#define ABI_PTRACE_GETSIGINFO 0x4202
#define ABI_PTRACE_SETSIGINFO 0x4203
#define ABI_PTRACE_GETREGSET 0x4204
#define ABI_PTRACE_SETREGSET 0x4205
#define ABI_PTRACE_SEIZE 0x4206
#define ABI_PTRACE_INTERRUPT 0x4207
#define ABI_PTRACE_LISTEN 0x4208
#define ABI_PTRACE_GETSIGMASK 0x420a
#define ABI_PTRACE_SETSIGMASK 0x420b
#define ABI_PTRACE_GET_SYSCALL_INFO 0x420e

#define ABI_PTRACE_O_TRACESYSGOOD 1u
#define ABI_PTRACE_O_TRACEFORK 2u
#define ABI_PTRACE_O_TRACEVFORK 4u
#define ABI_PTRACE_O_TRACECLONE 8u
#define ABI_PTRACE_O_TRACEEXEC 16u
#define ABI_PTRACE_O_TRACEVFORKDONE 32u
#define ABI_PTRACE_O_TRACEEXIT 64u
#define ABI_PTRACE_O_TRACESECCOMP 128u
#define ABI_PTRACE_O_EXITKILL 0x100000u
#define ABI_PTRACE_O_MASK 0x1000ffu

#define ABI_PTRACE_EVENT_FORK 1
#define ABI_PTRACE_EVENT_VFORK 2
#define ABI_PTRACE_EVENT_CLONE 3
#define ABI_PTRACE_EVENT_EXEC 4
#define ABI_PTRACE_EVENT_VFORK_DONE 5
#define ABI_PTRACE_EVENT_EXIT 6
#define ABI_PTRACE_EVENT_SECCOMP 7
#define ABI_PTRACE_EVENT_STOP 128

#define ABI_NT_PRSTATUS 1

struct abi_user_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip,
		cs, eflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
};
_Static_assert(sizeof(struct abi_user_regs) == 216, "struct user_regs_struct");
#define ABI_USER_SIZE 912 /* struct user */
#define ABI_USER_DEBUGREG 848
#define ABI_USER_CS 0x33
#define ABI_USER_DS 0x2b

struct abi_ptrace_syscall_info {
	uint8_t op, pad[3];
	uint32_t arch;
	uint64_t instruction_pointer, stack_pointer;
	union {
		struct {
			uint64_t nr, args[6];
		} entry;
		struct {
			int64_t rval;
			uint8_t is_error;
		} exit;
		struct {
			uint64_t nr, args[6];
			uint32_t ret_data;
		} seccomp;
	};
};
#define ABI_PTRACE_SYSCALL_INFO_NONE 0
#define ABI_PTRACE_SYSCALL_INFO_ENTRY 1
#define ABI_PTRACE_SYSCALL_INFO_EXIT 2
#define ABI_PTRACE_SYSCALL_INFO_SECCOMP 3

#endif
