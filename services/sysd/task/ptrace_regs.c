/* The registers and the memory of a stopped task. */
#include <sys/mman.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/task/ptrace_internal.h"

#define EFLAGS_USER 0x50dd5u /* what a user may set, TF included */

/* A vfork parent's registers are in its strand's frame while the child has its host thread. */
static struct sbx_regs *regs_of(const struct task *t)
{
	if (t->ht && t->ht->task == t)
		return &t->ht->regs;
	return t->vfork_regs;
}

void ptrace_get_regs(const struct task *t, struct abi_user_regs *u)
{
	const struct sbx_regs *r = regs_of(t);

	memset(u, 0, sizeof(*u));
	if (!r)
		return;
	*u = (struct abi_user_regs){
		.r15 = r->r15, .r14 = r->r14, .r13 = r->r13, .r12 = r->r12, .rbp = r->rbp, .rbx = r->rbx,
		.r11 = r->r11, .r10 = r->r10, .r9 = r->r9, .r8 = r->r8, .rax = r->rax, .rcx = r->rcx,
		.rdx = r->rdx, .rsi = r->rsi, .rdi = r->rdi, .orig_rax = r->orig_rax, .rip = r->rip,
		.cs = ABI_USER_CS, .eflags = r->eflags & ~0x100ull, .rsp = r->rsp, .ss = ABI_USER_DS,
		.fs_base = r->fs_base, .gs_base = r->gs_base,
	};
	if (t->nr < 0)
		u->orig_rax = (uint64_t)-1;
}

int ptrace_set_regs(struct task *t, const struct abi_user_regs *u)
{
	struct sbx_regs *r = regs_of(t);

	if (!r || u->fs_base >> 47 || u->gs_base >> 47 || (u->cs & 3) != 3 || (u->ss & 3) != 3)
		return -EIO;
	*r = (struct sbx_regs){
		.r15 = u->r15, .r14 = u->r14, .r13 = u->r13, .r12 = u->r12, .rbp = u->rbp, .rbx = u->rbx,
		.r11 = u->r11, .r10 = u->r10, .r9 = u->r9, .r8 = u->r8, .rax = u->rax, .rcx = u->rcx,
		.rdx = u->rdx, .rsi = u->rsi, .rdi = u->rdi, .orig_rax = u->orig_rax, .rip = u->rip,
		.eflags = (u->eflags & EFLAGS_USER) | 0x202, .rsp = u->rsp, .fs_base = u->fs_base,
		.gs_base = u->gs_base,
	};
	t->ptrace->regs_set = true;
	return 0;
}

struct find_prot {
	uint64_t addr;
	uint32_t prot;
	bool found;
};

static int find_region(const struct mm_region *r, void *arg)
{
	struct find_prot *f = arg;

	if (f->addr < r->start || f->addr >= r->end)
		return 0;
	f->prot = r->prot;
	f->found = true;
	return 1;
}

/* A breakpoint in a read-only page: the tracee's runtime makes the page writable for a moment, which gives
 * the process its own copy. */
static int poke_through_runtime(struct task *tracee, uint64_t addr, const void *src, size_t size)
{
	struct hthread *ht = tracee->ht;
	uint64_t page = ALIGN_DOWN(addr, SBX_PAGE_SIZE), end = ALIGN_UP(addr + size, SBX_PAGE_SIZE);
	struct find_prot f = {.addr = addr};
	struct sbx_hostop ops[3];
	uint32_t off;
	void *room;

	if (mm_walk(tracee->mm, false, find_region, &f) < 0 || !f.found || f.prot & PROT_WRITE)
		return -EIO;
	room = hthread_window_alloc(ht, (uint32_t)size, &off);
	if (!room)
		return -EIO;
	memcpy(room, src, size);
	ops[0] = (struct sbx_hostop){.kind = SBX_HOP_SYSCALL, .nr = SYS_mprotect, .flags = SBX_HOP_STOP_ON_ERROR,
				     .args = {page, end - page, PROT_READ | PROT_WRITE}};
	ops[1] = (struct sbx_hostop){.kind = SBX_HOP_COPY, .args = {addr, size, off}};
	ops[2] = (struct sbx_hostop){.kind = SBX_HOP_SYSCALL, .nr = SYS_mprotect,
				     .args = {page, end - page, f.prot}};
	if (hthread_run_ops_on(ht, ops, 3) < 0)
		return -ESRCH;
	return ops[0].ret || ops[1].ret ? -EIO : 0;
}

/* All of it sleeps, and a tracee that is killed meanwhile would take its host thread along. */
static int poke_protected(struct task *tracee, uint64_t addr, const void *src, size_t size)
{
	struct hthread *ht = tracee->ht;
	int ret;

	if (!ht || ht->task != tracee || ht->where != HT_KERNEL || !tracee->mm)
		return -EIO;
	if (tracee == current_task())
		return poke_through_runtime(tracee, addr, src, size);
	task_ref(tracee);
	tracee->poked++;
	ret = poke_through_runtime(tracee, addr, src, size);
	if (!--tracee->poked)
		sched_wake(&tracee->strand);
	task_unref(tracee);
	return ret;
}

int ptrace_poke(struct task *tracee, uint64_t addr, const void *src, size_t size)
{
	if (tracee->mm && mm_write(tracee->mm, addr, src, size) == (ssize_t)size)
		return 0;
	return poke_protected(tracee, addr, src, size);
}

ssize_t ptrace_force_write(struct mm *mm, uint64_t addr, const void *src, size_t size)
{
	struct task *me = current_task(), *t;

	LIST_FOR_EACH (t, task_all(), all_node) {
		bool stopped = t->ptrace && t->ptrace->stopped && t->ptrace->tracer == me;

		if (t->mm != mm || !(t == me || stopped))
			continue;
		return poke_protected(t, addr, src, size) ? -EFAULT : (ssize_t)size;
	}
	return -EFAULT;
}
