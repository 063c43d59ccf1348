/* Changes GS behind the runtime's back, blocks and handles SIGSYS, and forges a signal frame that blocks every
 * host signal. The process may lose itself; it must stay killable and its calls must stay caught. */
#include "hostile.h"

static void gs_to_zero(void)
{
	__asm__ volatile("wrgsbase %0" ::"r"(0ul));
	getppid();
	umask(0);
}

static void gs_to_own_memory(void)
{
	static char fake[65536] __attribute__((aligned(65536)));

	__asm__ volatile("wrgsbase %0" ::"r"(fake));
	umask(0);
}

static void block_sigsys(void)
{
	sigset_t all;
	long r;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGSYS, SIG_IGN);
	__asm__ volatile("nop\n\tsyscall\n\tnop" : "=a"(r) : "a"(SYS_getppid) : "rcx", "r11", "memory");
	_exit(r == getppid() ? 0 : 42);
}

/* A host rt_sigreturn with a frame of our own that blocks all, then a loop without calls. */
static void forge_sigreturn(void)
{
	uint64_t sites[32];
	static struct {
		uint64_t restorer;
		uint64_t flags, link;
		stack_t stack;
		uint64_t gregs[23];
		uint64_t fpstate, reserved[8];
		uint64_t mask[16];
	} frame __attribute__((aligned(64)));

	if (!attack_sites(attack_base(), sites, 32))
		_exit(2);
	memset(frame.mask, 0xff, sizeof(frame.mask));
	__asm__ volatile("mov %%cs, %0" : "=r"(frame.gregs[18]));
	frame.gregs[18] = 0x33;
	frame.gregs[15] = (uint64_t)&frame + 8192; /* rsp */
	frame.gregs[17] = 0x202;
	__asm__ volatile("lea 1f(%%rip), %%rax\n\t"
			 "mov %%rax, %0\n\t"
			 "mov %1, %%rsp\n\t"
			 "mov $15, %%eax\n\t"
			 "jmp *%2\n\t"
			 "1: pause\n\t"
			 "jmp 1b"
			 : "=m"(frame.gregs[16])
			 : "r"(&frame.flags), "r"(sites[0])
			 : "rax", "memory");
}

int main(void)
{
	static void (*const attacks[])(void) = {gs_to_zero, gs_to_own_memory, block_sigsys, forge_sigreturn};
	int bad = 0;

	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		int status = 0, waited = 0;
		pid_t p = fork();

		if (!p) {
			attacks[i]();
			_exit(0);
		}
		for (int k = 0; k < 20 && !waited; k++) {
			usleep(50000);
			waited = waitpid(p, &status, WNOHANG) == p;
		}
		if (!waited) {
			kill(p, SIGKILL);
			if (waitpid(p, &status, 0) != p)
				bad++;
		}
		if (WIFEXITED(status) && WEXITSTATUS(status) == 42) {
			printf("attack %zu worked\n", i);
			bad++;
		}
	}
	return bad != 0;
}
