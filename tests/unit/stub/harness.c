/* See harness.h. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "services/sysd/platform/vdso.h"
#include "tests/unit/stub/harness.h"

uint8_t *shared;
#define REPORT ((struct report *)(shared + SHARED_SIZE - 4096))
struct report {
	long line, value;
	char what[200];
};
#define GUEST_STACK_SIZE 0x40000

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "harness: %s: %s\n", what, strerror(errno));
		_exit(99);
	}
}

static void map_at(uint64_t addr, uint64_t size, int prot, int flags, int fd)
{
	must(mmap((void *)addr, size, prot, flags | MAP_FIXED, fd, 0) == (void *)addr, "mmap");
}

struct ksigaction {
	uint64_t handler, flags, restorer, mask;
};

static void child(struct guest *g, int ctl_fd, int bell_fd)
{
	const struct sbx_stub_header *h = (const void *)sbx_stub_blob;
	static const int sigs[] = {SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SBX_SIGKICK};
	const uint64_t r = GUEST_BASE;
	uint64_t begin = r + h->text_begin, end = r + h->text_end;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	must(h->total_size == sbx_stub_blob_size, "blob size");
	map_at(r + SBX_R_TEXT, SBX_R_TEXT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	memcpy((void *)(r + SBX_R_TEXT), sbx_stub_blob, sbx_stub_blob_size);
	mprotect((void *)(r + SBX_R_TEXT), SBX_R_TEXT_SIZE, PROT_READ | PROT_EXEC);
	map_at(r + SBX_R_DATA, SBX_R_DATA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map_at(r + SBX_R_CTL, SBX_R_CTL_SIZE, PROT_READ, MAP_SHARED, ctl_fd);
	map_at(r + SBX_R_BELL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, bell_fd);
	map_at(r + SBX_R_THREADS, SBX_THREADS_MAX * SBX_THREAD_STRIDE, PROT_READ | PROT_WRITE,
	       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	map_at(r + SBX_R_SLOTS, SBX_SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, g->slots_fd[0]);
	madvise((void *)(r + SBX_R_SLOTS), SBX_SLOTS_SIZE, MADV_DONTFORK);
	/* Stands in for the descriptor that memd lends a forked child. */
	must(dup2(g->slots_fd[1], SBX_FD_SLOTS) >= 0, "dup2");
	for (unsigned i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		struct ksigaction sa = {r + h->signal_handler, SBX_STUB_SA_FLAGS, r + h->restorer, ~0ul};

		must(syscall(SYS_rt_sigaction, sigs[i], &sa, NULL, 8) == 0, "rt_sigaction");
	}
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

#define LD(off) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (off))
#define IPOFF offsetof(struct seccomp_data, instruction_pointer)
	struct sock_filter code[] = {
		LD(offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 6),
		LD(IPOFF + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(begin >> 32), 0, 4),
		LD(IPOFF),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)begin, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)end, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0, "seccomp");
	__asm__ volatile("xorl %%edi, %%edi\n\txorl %%esi, %%esi\n\tjmp *%0" : : "r"(r + h->blank_entry) : "rdi", "rsi");
	__builtin_unreachable();
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

void guest_start(struct guest *g, void (*fn)(void))
{
	int ctl_fd = memfd_create("ctl", MFD_CLOEXEC), bell_fd = memfd_create("bell", MFD_CLOEXEC);
	uint8_t *stack;

	if (!shared) {
		shared = mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		must(shared != MAP_FAILED, "shared");
	}
	memset(shared, 0, SHARED_SIZE);
	must(ftruncate(ctl_fd, SBX_R_CTL_SIZE) == 0 && ftruncate(bell_fd, 4096) == 0, "ftruncate");
	g->ctl = mmap(NULL, SBX_R_CTL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ctl_fd, 0);
	g->bell = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, bell_fd, 0);
	for (unsigned i = 0; i < GUEST_PROCS; i++) {
		g->slots_fd[i] = memfd_create("slots", MFD_CLOEXEC);
		must(ftruncate(g->slots_fd[i], SBX_SLOTS_SIZE) == 0, "ftruncate");
		g->slots[i] = mmap(NULL, SBX_SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, g->slots_fd[i], 0);
	}
	g->threads = g->threads ?: 1;
	g->done = false;
	g->requests = 0;
	g->ctl->poller_cpu = -1;
	g->ctl->spin_tsc = 200000;
	g->ctl->base = GUEST_BASE;
	g->ctl->patching = 1;
	g->ctl->vdso_clock_gettime = vdso_function(getauxval(AT_SYSINFO_EHDR), "__vdso_clock_gettime");
	static const int t0[] = {24, 39, 102, 104, 107, 108, 110, 186, 202, 14, 158, 9, 10, 11, 25, 28, 324, 228, 96, 201, 309, 27};
	for (unsigned i = 0; i < sizeof(t0) / sizeof(t0[0]); i++)
		g->ctl->hint[t0[i]].t0 = 1;
	struct sbx_slot *s = guest_slot(g, 0, 0);
	s->pid = 1001;
	s->tid = 1002;
	s->ppid = 1003;
	s->uid = 1004;
	s->euid = 1005;
	s->gid = 1006;
	s->egid = 1007;

	stack = mmap(NULL, GUEST_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fflush(NULL);
	g->pid = fork();
	must(g->pid >= 0, "fork");
	if (g->pin)
		pin(g->pid ? 1 : 0);
	if (!g->pid)
		child(g, ctl_fd, bell_fd);
	close(ctl_fd);
	close(bell_fd);
	/* The HELLO comes when it likes; what it is answered is put here for serve_default. */
	s->regs.rip = (uint64_t)fn;
	s->regs.rsp = (uint64_t)stack + GUEST_STACK_SIZE - 8;
	g->arg = g->arg;
	*(uint64_t *)(shared + SHARED_SIZE - 8192) = (uint64_t)fn;
	*(uint64_t *)(shared + SHARED_SIZE - 8184) = (uint64_t)stack + GUEST_STACK_SIZE - 8;
}

struct sbx_slot *guest_slot(struct guest *g, unsigned proc, unsigned index)
{
	return (struct sbx_slot *)(g->slots[proc] + index * SBX_SLOT_STRIDE);
}

void guest_kick(struct guest *g, unsigned proc, unsigned index)
{
	syscall(SYS_tkill, guest_slot(g, proc, index)->host_tid, SBX_SIGKICK);
}

void slot_return(struct sbx_slot *s, int64_t ret)
{
	s->act = SBX_ACT_RETURN;
	s->ret = ret;
}

void slot_resume(struct sbx_slot *s)
{
	s->act = SBX_ACT_RESUME;
}

void serve_default(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s)
{
	switch (s->req) {
	case SBX_REQ_HELLO:
		if (proc == 0 && index == 0) {
			uint64_t fs = s->regs.fs_base;

			memset(&s->regs, 0, sizeof(s->regs));
			s->regs.rip = *(uint64_t *)(shared + SHARED_SIZE - 8192);
			s->regs.rsp = *(uint64_t *)(shared + SHARED_SIZE - 8184);
			s->regs.fs_base = fs;
		}
		slot_resume(s);
		break;
	case SBX_REQ_KICKED:
	case SBX_REQ_ALTSTACK:
		slot_resume(s);
		break;
	case SBX_REQ_SYSCALL:
		if (s->nr == SYS_exit_group) {
			*(int *)(shared + SHARED_SIZE - 8176) = (int)s->args[0];
			s->act = SBX_ACT_EXIT_GROUP;
			g->done = g->done || proc == 0;
		} else if (s->nr == SYS_exit) {
			s->act = SBX_ACT_EXIT_THREAD;
		} else if (s->nr == SYS_umask) {
			slot_return(s, (int64_t)s->args[0] + 1);
		} else {
			slot_return(s, -ENOSYS);
		}
		break;
	case SBX_REQ_FAULT:
		fprintf(stderr, "guest fault: signo %u code %d addr %#lx rip %#lx rsp %#lx trapno %lu\n",
			s->fault_signo, s->fault_code, s->fault_addr, s->regs.rip, s->regs.rsp,
			s->fault_trapno);
		s->act = SBX_ACT_EXIT_GROUP;
		*(int *)(shared + SHARED_SIZE - 8176) = 98;
		g->done = true;
		break;
	default:
		fprintf(stderr, "request %u?\n", s->req);
		slot_return(s, -ENOSYS);
	}
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool poll_slots(struct guest *g)
{
	bool any = false;

	for (unsigned p = 0; p < (g->pin ? 1 : GUEST_PROCS); p++) {
		for (unsigned i = 0; i < g->threads; i++) {
			struct sbx_slot *s = guest_slot(g, p, i);

			if (__atomic_load_n(&s->state, __ATOMIC_ACQUIRE) != SBX_SLOT_REQUEST)
				continue;
			any = true;
			g->requests++;
			s->out_count = 0;
			s->act = 0;
			(g->serve ?: serve_default)(g, p, i, s);
			if (s->act == 100) /* serve keeps it: answered later */
				{
				__atomic_store_n(&s->state, SBX_SLOT_SLEEPING, __ATOMIC_SEQ_CST);
				continue;
			}
			__atomic_store_n(&s->state, SBX_SLOT_REPLY, __ATOMIC_SEQ_CST);
			if (__atomic_load_n(&s->guest_waits, __ATOMIC_SEQ_CST))
				syscall(SYS_futex, &s->state, FUTEX_WAKE, 1, NULL, NULL, 0);
		}
	}
	return any;
}

int guest_run(struct guest *g)
{
	long quiet_since = 0; /* in milliseconds; 0: since it was last looked at */
	unsigned n = 0;
	int status;

	while (!g->done) {
		uint32_t bell = __atomic_load_n(g->bell, __ATOMIC_SEQ_CST);

		if (g->spin && (n & 0xff) == 0 && g->ctl->poller_cpu != sched_getcpu())
			__atomic_store_n(&g->ctl->poller_cpu, sched_getcpu(), __ATOMIC_SEQ_CST);
		if (poll_slots(g)) {
			quiet_since = 0;
			continue;
		}
		if (g->idle)
			g->idle(g);
		if (!g->spin || (++n & 0xffff) == 0) {
			if (waitpid(g->pid, &status, WNOHANG) == g->pid) {
				g->pid = 0;
				return status;
			}
			if (!quiet_since)
				quiet_since = now_ms();
			if (now_ms() - quiet_since > 20000) {
				fprintf(stderr, "guest hangs: state %u req %u\n", guest_slot(g, 0, 0)->state,
					guest_slot(g, 0, 0)->req);
				struct sbx_slot *s = guest_slot(g, 0, 0);
				fprintf(stderr, "rip %#lx rax %ld orig %ld nr %lu waits %u t0 %u act %u\n", s->regs.rip, s->regs.rax, s->regs.orig_rax, s->nr, s->guest_waits, s->t0_wait, s->act);
				return -2;
			}
		}
		if (g->spin)
			continue;
		__atomic_store_n(&g->ctl->poller_cpu, -1, __ATOMIC_SEQ_CST);
		if (poll_slots(g))
			continue;
		struct timespec ts = {0, g->idle ? 20000 : 20000000};
		syscall(SYS_futex, g->bell, FUTEX_WAIT, bell, &ts, NULL, 0);
	}
	return -1;
}

void guest_end(struct guest *g)
{
	int status;

	if (g->pid) {
		for (int i = 0; i < 100 && waitpid(g->pid, &status, WNOHANG) == 0; i++) {
			usleep(2000);
			if (i == 99) {
				kill(g->pid, SIGKILL);
				waitpid(g->pid, &status, 0);
			}
		}
	}
	if (REPORT->line) {
		fprintf(stderr, "guest: line %ld: %s (value %ld, %#lx)\n", REPORT->line, REPORT->what, REPORT->value, REPORT->value);
		fail();
	}
	if (*(int *)(shared + SHARED_SIZE - 8176))
		fail_msg("guest ended with %d", *(int *)(shared + SHARED_SIZE - 8176));
	munmap(g->ctl, SBX_R_CTL_SIZE);
	munmap(g->bell, 4096);
	for (unsigned i = 0; i < GUEST_PROCS; i++) {
		munmap(g->slots[i], SBX_SLOTS_SIZE);
		close(g->slots_fd[i]);
	}
}

void guest_t0(struct guest *g, long nr, bool on)
{
	g->ctl->hint[nr].t0 = on;
}

/* ---- in the guest -------------------------------------------------------------------------- */

void guest_exit(int code)
{
	RAW1(SYS_exit_group, code);
	__builtin_trap();
}

void guest_fail(const char *what, long line, long value)
{
	struct report *r = REPORT;

	r->value = value;
	for (unsigned i = 0; i < sizeof(r->what) - 1 && what[i]; i++)
		r->what[i] = what[i];
	r->line = line;
	guest_exit(97);
}

extern void probe_reg(struct probe *), probe_mov_getppid(struct probe *), probe_mov_umask(struct probe *),
	probe_movq_umask(struct probe *), probe_cmp(struct probe *), probe_mov_yield(struct probe *);
extern char probe_reg_ret[], probe_mov_getppid_ret[], probe_mov_umask_ret[], probe_movq_umask_ret[],
	probe_cmp_ret[], probe_mov_yield_ret[];
void (*const probes[PROBE_COUNT])(struct probe *) = {probe_reg,	  probe_mov_getppid, probe_mov_umask,
						     probe_movq_umask, probe_cmp, probe_mov_yield};

uint64_t probe_run(unsigned which, struct probe *p, uint64_t nr, uint64_t seed)
{
	static char *const rets[PROBE_COUNT] = {probe_reg_ret,	      probe_mov_getppid_ret, probe_mov_umask_ret,
						probe_movq_umask_ret, probe_cmp_ret, probe_mov_yield_ret};
	uint64_t *in = (uint64_t *)&p->in, *out = (uint64_t *)&p->out;

	for (unsigned i = 0; i < 15; i++)
		in[i] = (seed + i) * 0x9e3779b97f4a7c15ul;
	p->in.rax = nr;
	p->in.rdi = seed & 0xfff;
	p->in.eflags = 0x202 | (seed * 0x155 & 0x8d5); /* a mix of the arithmetic flags */
	for (unsigned i = 0; i < 16; i++)
		for (unsigned j = 0; j < 32; j++)
			p->vin[i][j] = (uint8_t)(seed * 31 + i * 32 + j);
	probes[which](p);
	p->in.rcx = (uint64_t)rets[which];
	p->in.r11 = p->in.eflags;
	for (unsigned i = 0; i < 15; i++) {
		if (i != 10 && in[i] != out[i])
			guest_fail("register", 1000 + which * 100 + i, (long)out[i]);
	}
	if (p->out.rsp)
		guest_fail("rsp", 1000 + which * 100, (long)p->out.rsp);
	if (which == PROBE_CMP) {
		uint64_t f;

		__asm__("cmpq $-4095, %1\n\tpushfq\n\tpopq %0" : "=r"(f) : "r"(p->out.rax));
		if ((f ^ p->out.eflags) & 0x8d5)
			guest_fail("flags of the cmp", 1000 + which * 100, (long)p->out.eflags);
	} else if (p->out.eflags != p->in.eflags) {
		guest_fail("eflags", 1000 + which * 100, (long)p->out.eflags);
	}
	for (unsigned i = 0; i < 16; i++)
		for (unsigned j = 0; j < 32; j++)
			if (p->vin[i][j] != p->vout[i][j])
				guest_fail("vector register", 1000 + which * 100 + i, j);
	return p->out.rax;
}
