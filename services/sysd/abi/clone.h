/* Guest ABI of clone(2), clone3(2), unshare(2) and setns(2). */
#ifndef SYSD_ABI_CLONE_H
#define SYSD_ABI_CLONE_H

#include <stdint.h>

#define ABI_CSIGNAL 0xffull
#define ABI_CLONE_NEWTIME 0x00000080ull /* only clone3, unshare, setns */
#define ABI_CLONE_VM 0x00000100ull
#define ABI_CLONE_FS 0x00000200ull
#define ABI_CLONE_FILES 0x00000400ull
#define ABI_CLONE_SIGHAND 0x00000800ull
#define ABI_CLONE_PIDFD 0x00001000ull
#define ABI_CLONE_PTRACE 0x00002000ull
#define ABI_CLONE_VFORK 0x00004000ull
#define ABI_CLONE_PARENT 0x00008000ull
#define ABI_CLONE_THREAD 0x00010000ull
#define ABI_CLONE_NEWNS 0x00020000ull
#define ABI_CLONE_SYSVSEM 0x00040000ull
#define ABI_CLONE_SETTLS 0x00080000ull
#define ABI_CLONE_PARENT_SETTID 0x00100000ull
#define ABI_CLONE_CHILD_CLEARTID 0x00200000ull
#define ABI_CLONE_DETACHED 0x00400000ull
#define ABI_CLONE_UNTRACED 0x00800000ull
#define ABI_CLONE_CHILD_SETTID 0x01000000ull
#define ABI_CLONE_NEWCGROUP 0x02000000ull
#define ABI_CLONE_NEWUTS 0x04000000ull
#define ABI_CLONE_NEWIPC 0x08000000ull
#define ABI_CLONE_NEWUSER 0x10000000ull
#define ABI_CLONE_NEWPID 0x20000000ull
#define ABI_CLONE_NEWNET 0x40000000ull
#define ABI_CLONE_IO 0x80000000ull
#define ABI_CLONE_CLEAR_SIGHAND 0x100000000ull
#define ABI_CLONE_INTO_CGROUP 0x200000000ull
#define ABI_CLONE_LEGACY_FLAGS 0xffffffffull

struct abi_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};
#define ABI_CLONE_ARGS_SIZE_VER0 64
#define ABI_CLONE_ARGS_SIZE_VER1 80
#define ABI_CLONE_ARGS_SIZE_VER2 88
_Static_assert(sizeof(struct abi_clone_args) == 88, "struct clone_args, version 2");

#endif
