/* Offsets that assembly knows; stub.h checks them against the C structures. */
#ifndef STUB_ASM_H
#define STUB_ASM_H

#define T_SELF       0x00
#define T_SLOT       0x08
#define T_STACK_TOP  0x20
#define T_ENTRY      0x28
#define T_ENTRY_FOLLOW  0x30
#define T_FAST_RSP   0x38
#define T_FAST_RET   0x40
#define T_KICKED     0x48
#define T_TRAMP      0x58
#define T_FAST       0x60
#define T_IN_VDSO    0xa4
#define T_VDSO_RSP   0xa8
#define T_SITE_KIND  0xb4
#define T_REGS       0x140

#define R_R15      (T_REGS + 0)
#define R_R14      (T_REGS + 8)
#define R_R13      (T_REGS + 16)
#define R_R12      (T_REGS + 24)
#define R_RBP      (T_REGS + 32)
#define R_RBX      (T_REGS + 40)
#define R_R11      (T_REGS + 48)
#define R_R10      (T_REGS + 56)
#define R_R9       (T_REGS + 64)
#define R_R8       (T_REGS + 72)
#define R_RAX      (T_REGS + 80)
#define R_RCX      (T_REGS + 88)
#define R_RDX      (T_REGS + 96)
#define R_RSI      (T_REGS + 104)
#define R_RDI      (T_REGS + 112)
#define R_ORIG_RAX (T_REGS + 120)
#define R_RIP      (T_REGS + 128)
#define R_EFLAGS   (T_REGS + 136)
#define R_RSP      (T_REGS + 144)

/* The T0 answers in a slot, in the order of sbx_thread.fast. */
#define S_TID   76
#define S_PID   80
#define S_PPID  84
#define S_UID   88
#define S_EUID  92
#define S_GID   96
#define S_EGID  100
#define S_TRACE 104

#define FAST_STRIDE 64

#endif
