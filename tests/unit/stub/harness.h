/* A guest process with the runtime in it, without memd and sysd: the test forks a child, maps the
 * runtime's regions there, loads a filter that traps everything outside the runtime's text, and serves
 * the slots itself. Guest code is a function of the test program, on a stack of its own. */
#ifndef TESTS_STUB_HARNESS_H
#define TESTS_STUB_HARNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/slot/slot.h"
#include "common/slot/stub.h"

#define GUEST_BASE 0x600000000000ul
#define GUEST_PROCS 2

/* Answers one request; the default is RETURN of slot->ret. */
struct guest;
typedef void (*serve_fn)(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s);

struct guest {
	pid_t pid;
	struct sbx_ctl *ctl;
	uint32_t *bell;
	uint8_t *slots[GUEST_PROCS];
	int slots_fd[GUEST_PROCS];
	unsigned threads;          /* slots looked at in each process */
	serve_fn serve;
	bool spin;                 /* the poller never sleeps */
	bool pin;                  /* guest and poller on a CPU each */
	volatile bool done;        /* set by serve: the loop ends */
	void (*idle)(struct guest *g); /* called in the poll loop when nothing was asked */
	uint64_t requests;
	void *arg;
};

/* Memory that test and guest share. */
extern uint8_t *shared;
#define SHARED_SIZE 0x100000

void guest_start(struct guest *g, void (*fn)(void));
/* Serves until g->done or the child's end; returns the wait status, or -1 with done. Fails after 20 s. */
int guest_run(struct guest *g);
void guest_end(struct guest *g);
struct sbx_slot *guest_slot(struct guest *g, unsigned proc, unsigned index);
void guest_kick(struct guest *g, unsigned proc, unsigned index);
void slot_return(struct sbx_slot *s, int64_t ret);
void slot_resume(struct sbx_slot *s);
/* What serve does by default: HELLO, exit, umask (returns its argument + 1). */
void serve_default(struct guest *g, unsigned proc, unsigned index, struct sbx_slot *s);
/* Makes nr T0. */
void guest_t0(struct guest *g, long nr, bool on);

/* In the guest: a call in a form that no patch applies to. */
long raw_call(long nr, long a, long b, long c, long d, long e, long f);
#define RAW0(nr) raw_call(nr, 0, 0, 0, 0, 0, 0)
#define RAW1(nr, a) raw_call(nr, (long)(a), 0, 0, 0, 0, 0)
#define RAW2(nr, a, b) raw_call(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define RAW3(nr, a, b, c) raw_call(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define RAW4(nr, a, b, c, d) raw_call(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define RAW6(nr, a, b, c, d, e, f) \
	raw_call(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* Fails in the guest: exits with the line number as report in shared memory. */
void guest_fail(const char *what, long line, long value);
#define GCHECK(c) do { if (!(c)) guest_fail(#c, __LINE__, 0); } while (0)
#define GEQ(a, b) do { long a_ = (long)(a), b_ = (long)(b); \
	if (a_ != b_) guest_fail(#a " == " #b, __LINE__, a_); } while (0)
void guest_exit(int code);

/* probe.S: loads every register, makes a call, stores every register. */
struct probe_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, eflags, rsp;
};
struct probe {
	struct probe_regs in, out;
	_Alignas(32) uint8_t vin[16][32], vout[16][32];
	uint64_t ret_addr; /* behind the syscall */
};
enum { PROBE_REG, PROBE_MOV_GETPPID, PROBE_MOV_UMASK, PROBE_MOVQ_UMASK, PROBE_CMP, PROBE_MOV_YIELD,
       PROBE_COUNT };
extern void (*const probes[PROBE_COUNT])(struct probe *p);
/* Fills `in`, runs it, checks everything but rax; returns rax. */
uint64_t probe_run(unsigned which, struct probe *p, uint64_t nr, uint64_t seed);

/* Patched getppid, umask in a loop, for figures. */
uint64_t loop_getppid(uint64_t n);
uint64_t loop_umask(uint64_t n);
uint64_t loop_sigsys(uint64_t n);
uint64_t loop_native_getppid(uint64_t n);

#endif
