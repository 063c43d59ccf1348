/* Guest ABI of signals (x86-64 Linux); struct abi_siginfo and abi_sigaction: signal/sigtypes.h. */
#ifndef SYSD_ABI_SIGNAL_H
#define SYSD_ABI_SIGNAL_H

#include <signal.h> /* the numbers SIGHUP... are the same */
#include <stdint.h>

#define ABI_SIGRTMIN 32
#define ABI_SIGSET_SIZE 8
#define ABI_SIG_DFL 0ull
#define ABI_SIG_IGN 1ull

#define ABI_SA_NOCLDSTOP 0x00000001ull
#define ABI_SA_NOCLDWAIT 0x00000002ull
#define ABI_SA_SIGINFO 0x00000004ull
#define ABI_SA_EXPOSE_TAGBITS 0x00000800ull
#define ABI_SA_RESTORER 0x04000000ull
#define ABI_SA_ONSTACK 0x08000000ull
#define ABI_SA_RESTART 0x10000000ull
#define ABI_SA_NODEFER 0x40000000ull
#define ABI_SA_RESETHAND 0x80000000ull
#define ABI_SA_KNOWN                                                                            \
	(ABI_SA_NOCLDSTOP | ABI_SA_NOCLDWAIT | ABI_SA_SIGINFO | ABI_SA_EXPOSE_TAGBITS |         \
	 ABI_SA_RESTORER | ABI_SA_ONSTACK | ABI_SA_RESTART | ABI_SA_NODEFER | ABI_SA_RESETHAND)

#define ABI_SS_ONSTACK 1u
#define ABI_SS_DISABLE 2u
#define ABI_SS_AUTODISARM 0x80000000u
#define ABI_MINSIGSTKSZ 2048

#define ABI_SIG_BLOCK 0
#define ABI_SIG_UNBLOCK 1
#define ABI_SIG_SETMASK 2

struct abi_stack {
	uint64_t sp;
	uint32_t flags, pad;
	uint64_t size;
};
_Static_assert(sizeof(struct abi_stack) == 24, "stack_t is 24 bytes");

/* si_code beyond signal.h's */
#define ABI_SI_ASYNCNL -60
#define ABI_CLD_EXITED 1
#define ABI_CLD_KILLED 2
#define ABI_CLD_DUMPED 3
#define ABI_CLD_TRAPPED 4
#define ABI_CLD_STOPPED 5
#define ABI_CLD_CONTINUED 6
#define ABI_SYS_SECCOMP 1
#define ABI_TRAP_BRKPT 1
#define ABI_TRAP_TRACE 2

#endif
