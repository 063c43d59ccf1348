/* Handlers that change their frame: the place to go on, registers, flags, vector registers, the mask, the
 * control words of the FPU. */
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>
#include "tests/guest/show.h"

static void fesetround_(unsigned mode)
{
	unsigned v;

	__asm__ volatile("stmxcsr %0" : "=m"(v));
	v = (v & ~0x6000u) | mode;
	__asm__ volatile("ldmxcsr %0" : : "m"(v));
}
static unsigned fegetround_(void)
{
	unsigned v;
	unsigned short cw;

	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(v), "=m"(cw));
	return (v & 0x6000) << 16 | (cw & 0xc00);
}

static volatile int step;
static void on_usr1(int signo, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;

	switch (step) {
	case 0:
		uc->uc_mcontext.gregs[REG_RBX] = 0x1234;
		uc->uc_mcontext.gregs[REG_EFL] |= 1;
		memset(&uc->uc_mcontext.fpregs->_xmm[5], 0x77, 16);
		break;
	case 1:
		sigaddset(&uc->uc_sigmask, SIGUSR2);
		break;
	case 2:
		uc->uc_mcontext.fpregs->mxcsr = 0x1f80 | 0x6000; /* towards zero */
		uc->uc_mcontext.fpregs->cwd = 0x37f | 0xc00;
		fesetround_(0x4000); /* lost at return */
		break;
	case 3:
		fesetround_(0x2000);
		break;
	}
}

static void on_segv(int signo, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;

	printf("segv at %lx, code %d, trap %lld, error %lld\n", (long)info->si_addr, info->si_code,
	       uc->uc_mcontext.gregs[REG_TRAPNO], uc->uc_mcontext.gregs[REG_ERR]);
	uc->uc_mcontext.gregs[REG_RIP] += 3; /* over the mov */
	uc->uc_mcontext.gregs[REG_RAX] = 99;
}

static void on_ill(int signo, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;

	printf("ill, code %d, at rip: %d\n", info->si_code,
	       (long)info->si_addr == uc->uc_mcontext.gregs[REG_RIP]);
	uc->uc_mcontext.gregs[REG_RIP] += 2;
}

static int traps;
static void on_trap(int signo, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;

	if (++traps == 5)
		uc->uc_mcontext.gregs[REG_EFL] &= ~0x100;
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO};
	uint64_t rbx, flags, rax;
	uint8_t xmm[16];
	sigset_t now;
	pid_t pid = getpid();

	sigaction(SIGUSR1, &sa, NULL);
	__asm__ volatile("movq $1, %%rbx\n\tclc\n\tmovl $62, %%eax\n\tsyscall\n\tmovq %%rbx, %0\n\tpushfq\n\tpopq %1\n\t"
			 "movdqu %%xmm5, %2\n\tmovq %%rax, %3"
			 : "=m"(rbx), "=r"(flags), "=m"(xmm), "=m"(rax)
			 : "D"(pid), "S"(SIGUSR1)
			 : "rax", "rbx", "rcx", "r11", "xmm5", "memory");
	printf("rbx %lx carry %ld xmm %x rax %ld\n", rbx, flags & 1, xmm[7], (long)rax);
	step = 1;
	raise(SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	printf("SIGUSR2 blocked: %d\n", sigismember(&now, SIGUSR2));
	step = 2;
	raise(SIGUSR1);
	printf("rounding: %x\n", fegetround_());
	step = 3;
	raise(SIGUSR1);
	printf("rounding: %x\n", fegetround_());
	fesetround_(0);

	sa.sa_sigaction = on_segv;
	sigaction(SIGSEGV, &sa, NULL);
	__asm__ volatile("movq $0x100, %%rcx\n\tmovq (%%rcx), %%rax\n\t" : "=a"(rax) : : "rcx");
	printf("went on with %ld\n", (long)rax);
	__asm__ volatile("movabsq $0x8000000000000000, %%rcx\n\tmovq (%%rcx), %%rax\n\t" : "=a"(rax) : : "rcx");
	sa.sa_sigaction = on_ill;
	sigaction(SIGILL, &sa, NULL);
	__asm__ volatile("ud2");
	sa.sa_sigaction = on_trap;
	sigaction(SIGTRAP, &sa, NULL);
	__asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop" : : : "cc", "memory");
	printf("single steps: %d\n", traps);
	traps = 0;
	__asm__ volatile("int3");
	printf("int3: %d\n", traps);
	return 0;
}
