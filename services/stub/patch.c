/* Patching of system call sites, so that a call needs no SIGSYS. The forms that are known:
 *
 * `mov $nr, %eax; syscall`: the mov becomes a jump to a trampoline; the syscall stays, so whoever jumps
 * straight to it still traps. Likewise for the store that stands before the syscall of musl's
 * cancellation points.
 *
 * `syscall` with the number in a register, and behind it an instruction that follow.c can carry out: both
 * become the jump. A thread that was in the kernel through this site when it was patched, or that jumps
 * to the second instruction, comes to the middle of the new one; its byte there is made to be an int3
 * (the trampoline is put where the displacement has 0xcc in its second byte), and the handler of
 * SIGTRAP carries the instruction out and goes on behind it. A trampoline is
 *
 *      mov $nr, %eax               or the store, or nothing
 *      lea site(%rip), %rcx        what the syscall instruction leaves in rcx
 *      lea trampoline(%rip), %r11  only with an instruction to follow
 *      jmp *%gs:entry
 *      (at 24) the address of the patch; (at 32) the instruction to follow; (at 40) ret
 *
 * The store is atomic (8 or 16 aligned bytes) or the process has one thread; else an int3 stands first, the
 * handler of SIGTRAP does the jump, and the bytes behind it follow between two membarriers that make
 * every thread fetch its instructions anew. Writing to a shared
 * mapping would change other processes' text: only private ones are patched. Nothing here is needed
 * for correctness: a site that is not patched traps.
 */
#include "services/stub/stub.h"
#include "services/stub/x86_64/follow.h"
#include "services/stub/x86_64/sigctx.h"

/* To patch costs about as much as eight traps: a page for the trampoline, a copied page of text, and three or four
 * host calls. Most sites of a short program are met once or twice. */
#define HITS_BEFORE_PATCH 8
#define TRAMP_SIZE 32u
#define TRAMP_CC_PAGE 0x80000000u /* of the kind that tramp_new_cc makes */
#define CC_TRAMP_SIZE 48u
#define CC_TRAMP_RET (32 + FOLLOW_MAX)
#define PAGE 4096ul
#define PROT_RX 5
#define PROT_RWX 7
#define MAP_PRIVATE 2
#define MAP_ANONYMOUS 0x20
#define MAP_FIXED_NOREPLACE 0x100000
#define MREMAP_MAYMOVE 1
#define PROBES 16
#define TRAP_PAGE_FAULT 14
#define FAULT_FETCH 16
#define MEMBARRIER_SYNC_CORE 32
#define MEMBARRIER_REGISTER_SYNC_CORE 64

static struct rt_site *site_find(struct rt_data *d, uint64_t rip)
{
	uint64_t h = (rip * 0x9e3779b97f4a7c15ul) >> 40;

	for (unsigned i = 0; i < PROBES; i++) {
		uint16_t n = __atomic_load_n(&d->site_hash[(h + i) & (RT_SITE_HASH - 1)], __ATOMIC_ACQUIRE);

		if (!n || n > RT_SITES)
			return NULL;
		if (d->site[n - 1].rip == rip)
			return &d->site[n - 1];
	}
	return NULL;
}

/* NULL also when the table is full: such a site is never patched. */
static struct rt_site *site_get(struct rt_data *d, uint64_t rip)
{
	uint64_t h = (rip * 0x9e3779b97f4a7c15ul) >> 40;
	struct rt_site *s = site_find(d, rip);
	uint32_t n;

	if (s || __atomic_load_n(&d->site_count, __ATOMIC_RELAXED) >= RT_SITES)
		return s;
	n = __atomic_fetch_add(&d->site_count, 1, __ATOMIC_RELAXED);
	if (n >= RT_SITES)
		return NULL;
	d->site[n].rip = rip;
	for (unsigned i = 0; i < PROBES; i++) {
		uint16_t *p = &d->site_hash[(h + i) & (RT_SITE_HASH - 1)], seen = 0;

		if (__atomic_compare_exchange_n(p, &seen, (uint16_t)(n + 1), false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return &d->site[n];
		/* Another thread may have been faster. */
		if (seen <= RT_SITES && d->site[seen - 1].rip == rip)
			return &d->site[seen - 1];
	}
	return NULL;
}

/* ---- trampolines --------------------------------------------------------------------------- */

static bool in_reach(uint64_t a, uint64_t b)
{
	int64_t d = (int64_t)(a - b);

	return d > -0x7ff00000l && d < 0x7ff00000l;
}

static bool map_page(struct sbx_thread *t, uint64_t addr)
{
	if (addr < 0x10000 || addr >= 0x7fffffff0000ul || rt_overlaps_runtime(t, addr, PAGE))
		return false;
	return host6(NR_mmap, addr, PAGE, PROT_RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		     (uint64_t)-1, 0) == (long)addr;
}

/* Distances to try, in 64 KiB; below the site first, for a heap grows up behind a program. */
static int64_t distance(unsigned n)
{
	static const uint16_t steps[] = {1,   2,   3,	4,   6,	   8,	 12,   16,   24,   32,	 48,
					 64,  96,  128, 192, 256,  384,	 512,  768,  1024, 1536, 2048,
					 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32000};
	const unsigned count = sizeof(steps) / sizeof(steps[0]);

	if (n < count)
		return -(int64_t)steps[n] * 0x10000;
	if (n < 2 * count)
		return (int64_t)steps[n - count] * 0x10000;
	return 0;
}

static uint64_t tramp_new(struct sbx_thread *t, uint64_t near)
{
	struct rt_data *d = rt_data(t);
	uint32_t n = d->tramp_page_count;

	for (uint32_t i = 0; i < n; i++) {
		if (d->tramp_used[i] < PAGE && in_reach(d->tramp_page[i], near)) {
			d->tramp_used[i] += TRAMP_SIZE;
			return d->tramp_page[i] + d->tramp_used[i] - TRAMP_SIZE;
		}
	}
	if (n >= RT_TRAMP_PAGES)
		return 0;
	for (unsigned k = 0; distance(k); k++) {
		uint64_t addr = (near & ~0xfffful) + (uint64_t)distance(k);

		if (!map_page(t, addr))
			continue;
		d->tramp_page[n] = addr;
		d->tramp_used[n] = TRAMP_SIZE;
		__atomic_store_n(&d->tramp_page_count, n + 1, __ATOMIC_RELEASE);
		return addr;
	}
	return 0;
}

static bool cc_room_free(uint64_t addr)
{
	for (unsigned i = 0; i < CC_TRAMP_SIZE; i += 8)
		if (*(const uint64_t *)(addr + i))
			return false;
	return true;
}

/* One to which a jump at `at` has 0xcc as the second byte of its displacement. Sites that are near to
 * each other share a page. */
static uint64_t tramp_new_cc(struct sbx_thread *t, uint64_t at)
{
	struct rt_data *d = rt_data(t);

	for (unsigned k = 0; distance(k); k++) {
		uint64_t first = at + 5 + (uint64_t)distance(k) + 0xcc00;

		for (uint64_t addr = (first + 15) & ~15ul; addr < first + 0x100; addr += 16) {
			uint64_t page = addr & ~(PAGE - 1);
			uint32_t i = 0;

			if (addr + CC_TRAMP_SIZE > page + PAGE)
				continue;
			while (i < d->tramp_page_count && d->tramp_page[i] != page)
				i++;
			if (i < d->tramp_page_count) {
				if (!(d->tramp_used[i] & TRAMP_CC_PAGE) || !cc_room_free(addr))
					continue;
				return addr;
			}
			if (i >= RT_TRAMP_PAGES)
				return 0;
			if (!map_page(t, page))
				break;
			d->tramp_page[i] = page;
			d->tramp_used[i] = TRAMP_CC_PAGE;
			__atomic_store_n(&d->tramp_page_count, i + 1, __ATOMIC_RELEASE);
			return addr;
		}
	}
	return 0;
}

struct code {
	uint8_t *p;
};
static void put(struct code *c, const char *bytes, unsigned count)
{
	memcpy(c->p, bytes, count);
	c->p += count;
}
static void put32(struct code *c, uint32_t v)
{
	memcpy(c->p, &v, 4);
	c->p += 4;
}
/* The displacement of the instruction that ends with it. */
static void put_rel(struct code *c, uint64_t target)
{
	put32(c, (uint32_t)(target - ((uint64_t)c->p + 4)));
}

static uint32_t entry_of(const struct sbx_thread *t, uint32_t nr)
{
	static const uint16_t fast[7] = {NR_getpid,  NR_gettid, NR_getppid, NR_getuid,
					 NR_geteuid, NR_getgid, NR_getegid};

	for (unsigned i = 0; i < 7; i++) {
		if (nr == fast[i] && t->ctl->hint[nr].t0)
			return T_FAST + i * 8;
	}
	return T_ENTRY;
}

/* What the trampoline begins with, or the instruction to follow. */
struct moved {
	uint8_t before[7], before_size;
	uint8_t follow[FOLLOW_MAX];
	bool has_follow;
};

static void write_tramp(const struct sbx_thread *t, uint64_t tramp, const struct rt_site *s,
			const struct moved *m, uint32_t nr)
{
	struct code c = {(uint8_t *)tramp};

	put(&c, (const char *)m->before, m->before_size);
	put(&c, "\x48\x8d\x0d", 3);
	put_rel(&c, s->rip);
	if (m->has_follow) {
		put(&c, "\x4c\x8d\x1d", 3);
		put_rel(&c, tramp);
	}
	put(&c, "\x65\xff\x24\x25", 4);
	put32(&c, m->has_follow ? T_ENTRY_FOLLOW : entry_of(t, nr));
	*(uint64_t *)(tramp + 24) = s->patched_at;
	if (m->has_follow)
		memcpy((void *)(tramp + 32), m->follow, FOLLOW_MAX);
	if (m->has_follow)
		*(uint8_t *)(tramp + CC_TRAMP_RET) = 0xc3;
}

/* ---- the site ------------------------------------------------------------------------------ */

static int store_byte(uint64_t at, uint8_t v)
{
	return rt_copy((void *)at, &v, 1) ? -EFAULT : 1;
}

/* The third byte comes before the others as well: threads may come to it (SITE_FOLLOW). */
static int store_under_int3(uint64_t at, const uint8_t *new, unsigned size)
{
	int r = host2(NR_membarrier, MEMBARRIER_REGISTER_SYNC_CORE, 0) ? 0 : store_byte(at, 0xcc);

	if (r != 1)
		return r;
	if (new[2] == 0xcc)
		store_byte(at + 2, 0xcc);
	host2(NR_membarrier, MEMBARRIER_SYNC_CORE, 0);
	for (unsigned i = 1; i < size; i++)
		store_byte(at + i, new[i]);
	host2(NR_membarrier, MEMBARRIER_SYNC_CORE, 0);
	return store_byte(at, new[0]);
}

/* Replaces `size` <= 5 bytes at `at`, old by new, on memory that is writable. 1 done, 0 not possible,
 * -EFAULT. */
static int store(struct sbx_thread *t, uint64_t at, const uint8_t *old, const uint8_t *new,
		 unsigned size)
{
	uint64_t base;
	uint8_t was[16], will[16];

	if ((at & 7) + size <= 8) {
		uint64_t a, b;

		base = at & ~7ul;
		if (rt_copy(was, (void *)base, 8))
			return -EFAULT;
		memcpy(will, was, 8);
		memcpy(was + (at & 7), old, size);
		memcpy(will + (at & 7), new, size);
		memcpy(&a, was, 8);
		memcpy(&b, will, 8);
		return rt_cmpxchg64((uint64_t *)base, a, b);
	}
	if ((at & 15) + size <= 16) {
		base = at & ~15ul;
		if (rt_copy(was, (void *)base, 16))
			return -EFAULT;
		memcpy(will, was, 16);
		memcpy(was + (at & 15), old, size);
		memcpy(will + (at & 15), new, size);
		return rt_cmpxchg128((void *)base, (uint64_t *)was, (uint64_t *)will);
	}
	if (!rt_data(t)->threads_made)
		return rt_copy((void *)at, new, size) ? -EFAULT : 1;
	return store_under_int3(at, new, size);
}

/* Likewise on text as it is. */
static bool poke(struct sbx_thread *t, uint64_t at, const uint8_t *old, const uint8_t *new, unsigned size)
{
	uint64_t page = at & ~(PAGE - 1), len = ((at + size - 1) & ~(PAGE - 1)) + PAGE - page;
	long dup;
	int r;

	/* With an old size of 0 mremap makes a second mapping of what is shared, and fails on what is
	 * private. */
	for (uint64_t p = page; p < page + len; p += PAGE) {
		dup = host6(NR_mremap, p, 0, PAGE, MREMAP_MAYMOVE, 0, 0);
		if (dup >= 0)
			host2(NR_munmap, dup, PAGE);
		if (dup != -EINVAL)
			return false;
	}
	r = store(t, at, old, new, size);
	if (r >= 0)
		return r == 1;
	if (host3(NR_mprotect, page, len, PROT_RWX))
		return false;
	r = store(t, at, old, new, size);
	host3(NR_mprotect, page, len, PROT_RX);
	return r == 1;
}

static bool memcmp3(const uint8_t *p, const char *q)
{
	return p[0] != (uint8_t)q[0] || p[1] != (uint8_t)q[1] || p[2] != (uint8_t)q[2];
}

/* Fills s->patched_at and what is moved; nr = ~0 in *ret_nr when it is not fixed. */
static bool recognise(struct rt_site *s, uint32_t *nr, struct moved *m)
{
	/* mov 16(%rsp), %r9; mov %r11, 8(%rsp): what __syscall_cp_asm ends with */
	static const uint8_t musl[10] = {0x4c, 0x8b, 0x4c, 0x24, 0x10, 0x4c, 0x89, 0x5c, 0x24, 0x08};
	uint8_t before[12];
	uint64_t rip = s->rip;
	uint32_t imm, i = 0;

	memset(m, 0, sizeof(*m));
	memset(before, 0, sizeof(before));
	if (rt_copy(before, (void *)(rip - 12), 12) && rt_copy(before + 5, (void *)(rip - 7), 7))
		return false;
	if (before[10] != 0x0f || before[11] != 0x05)
		return false;
	memcpy(&imm, before + 6, 4);
	if (!memcmp3(before + 3, "\x48\xc7\xc0") && imm == *nr) {
		s->patched_at = rip - 9;
		m->before_size = 7;
		memcpy(m->before, before + 3, 7);
		return true;
	}
	if (before[5] == 0xb8 && imm == *nr && (before[4] & 0xf1) != 0x41) {
		s->patched_at = rip - 7;
		m->before_size = 5;
		memcpy(m->before, before + 5, 5);
		return true;
	}
	*nr = ~0u;
	while (i < 10 && before[i] == musl[i])
		i++;
	if (i == 10) {
		s->patched_at = rip - 7;
		m->before_size = 5;
		memcpy(m->before, before + 5, 5);
		return true;
	}
	if (rt_copy(m->follow, (void *)rip, FOLLOW_MAX)) {
		memset(m->follow, 0, FOLLOW_MAX);
		if (rt_copy(m->follow, (void *)rip, 3))
			return false;
	}
	s->patched_at = rip - 2;
	m->has_follow = true;
	return follow_size(m->follow) != 0;
}

static bool patch(struct sbx_thread *t, struct rt_site *s, uint32_t nr)
{
	uint8_t old[8], jump[5] = {0xe9};
	struct moved m;
	uint64_t tramp;
	uint32_t rel;

	if (!recognise(s, &nr, &m) || rt_copy(old, (void *)s->patched_at, 5))
		return false;
	memcpy(&s->saved, old, 5);
	tramp = m.has_follow ? tramp_new_cc(t, s->patched_at) : tramp_new(t, s->patched_at);
	if (!tramp)
		return false;
	write_tramp(t, tramp, s, &m, nr);
	rel = (uint32_t)(tramp - (s->patched_at + 5));
	memcpy(jump + 1, &rel, 4);
	s->tramp = tramp;
	/* Before the store: a thread may run into the jump at once. */
	__atomic_store_n(&s->state, m.has_follow ? SITE_FOLLOW : SITE_BEFORE, __ATOMIC_SEQ_CST);
	if (poke(t, s->patched_at, old, jump, 5))
		return true;
	__atomic_store_n(&s->state, SITE_BUSY, __ATOMIC_SEQ_CST);
	return false;
}

static void patch_site(struct sbx_thread *t, struct rt_site *s, uint32_t nr)
{
	if (!s || s->state != SITE_COUNTING)
		return;
	s->state = SITE_BUSY;
	if (!patch(t, s, nr))
		s->state = SITE_NEVER;
}

static bool child_calls(uint32_t nr)
{
	return nr == NR_set_robust_list || nr == NR_execve || nr == NR_execveat || nr == NR_exit || nr == NR_exit_group;
}

/* What a forked child calls first and last stands beside the call that made it, as a rule, and neither the parent nor any
 * single child comes there often enough: each child would trap anew. So the page of a fork is searched, for a call with a
 * fixed number of these, and for one with any number whose result is compared as C libraries do. */
static void patch_for_children(struct sbx_thread *t, uint64_t rip)
{
	const uint64_t cmp_errno = 0xfffff0003d48ul; /* cmp $-4096, %rax */
	uint64_t page = rip & ~(PAGE - 1), next = 0;
	uint8_t code[64];

	for (uint64_t at = page; at + sizeof(code) <= page + PAGE; at += sizeof(code) - 16) {
		if (rt_copy(code, (const void *)at, sizeof(code)))
			return;
		for (unsigned i = 5; i < sizeof(code) - 11; i++) {
			uint32_t nr = ~0u;

			if (code[i] != 0x0f || code[i + 1] != 0x05)
				continue;
			if (code[i - 5] == 0xb8)
				memcpy(&nr, code + i - 4, 4);
			memcpy(&next, code + i + 2, 6);
			if (child_calls(nr) || (nr == ~0u && next == cmp_errno))
				patch_site(t, site_get(rt_data(t), at + i + 2), nr);
		}
	}
}

static bool site_is_patched(const struct rt_site *s)
{
	return s->state == SITE_BEFORE || s->state == SITE_FOLLOW;
}

void rt_site_hit(struct sbx_thread *t)
{
	struct rt_data *d = rt_data(t);
	uint32_t nr = (uint32_t)t->regs.orig_rax;
	struct rt_site *s;

	if (unlikely(d->unpatchable)) {
		if (d->unpatchable == 1)
			rt_unpatch_all(t);
		return;
	}
	if (!t->ctl->patching || !(s = site_get(d, t->regs.rip)))
		return;
	if (s->state != SITE_COUNTING || ++s->hits < HITS_BEFORE_PATCH)
		return;
	if (__atomic_exchange_n(&d->lock, 1, __ATOMIC_ACQUIRE))
		return;
	patch_site(t, s, nr);
	if (site_is_patched(s) && (nr == NR_clone || nr == NR_fork || nr == NR_clone3))
		patch_for_children(t, s->rip);
	__atomic_store_n(&d->lock, 0, __ATOMIC_RELEASE);
}

/* The jump at s, as it stands there if the site is still ours. */
static bool still_patched(const struct rt_site *s)
{
	uint8_t now[5];
	uint32_t rel;

	if (rt_copy(now, (const void *)s->patched_at, 5))
		return false;
	if (now[0] == 0xcc)
		return true; /* being written */
	memcpy(&rel, now + 1, 4);
	return now[0] == 0xe9 && rel == (uint32_t)(s->tramp - (s->patched_at + 5));
}

void rt_unpatch_all(struct sbx_thread *t)
{
	struct rt_data *d = rt_data(t);

	while (__atomic_exchange_n(&d->lock, 1, __ATOMIC_ACQUIRE))
		cpu_relax();
	d->unpatchable = 2;
	for (unsigned i = 0; i < d->site_count && i < RT_SITES; i++) {
		struct rt_site *s = &d->site[i];
		uint8_t old[5], new[8];

		if (!site_is_patched(s))
			continue;
		if (still_patched(s) && !rt_copy(old, (void *)s->patched_at, 5)) {
			memcpy(new, &s->saved, 5);
			poke(t, s->patched_at, old, new, 5);
		}
		if (!still_patched(s))
			s->state = SITE_NEVER;
	}
	__atomic_store_n(&d->lock, 0, __ATOMIC_RELEASE);
}

/* A patched site's jump by a GS base that is not the runtime's faults in the trampoline, or at wherever the guest's
 * memory sent it, with the site's address in rcx. Unpatched, the site is done again. */
bool rt_retry_site(struct sbx_thread *t, struct rt_sigcontext *mc)
{
	uint64_t rip = mc->rip;
	const struct rt_site *s;

	if (!rt_untramp(t, &rip)) {
		s = mc->trapno == TRAP_PAGE_FAULT && mc->err & FAULT_FETCH ? site_find(rt_data(t), mc->rcx) : NULL;
		if (!s || !s->tramp)
			return false;
		rip = s->patched_at;
	}
	mc->rip = rip;
	return true;
}

void rt_patch_reset(struct sbx_thread *t)
{
	struct rt_data *d = rt_data(t);

	memset(d->site_hash, 0, sizeof(d->site_hash));
	memset(d->site, 0, sizeof(d->site));
	d->site_count = 0;
	d->tramp_page_count = 0;
	d->unpatchable = 0;
	d->lock = 0;
}

/* ---- registers in patched places ----------------------------------------------------------- */

static const uint8_t *follow_of(uint64_t tramp)
{
	return (const uint8_t *)(tramp + 32);
}

void rt_finish_follow(struct sbx_thread *t)
{
	follow_run(follow_of(t->tramp), &t->regs);
}

void rt_fixup_rip(struct sbx_thread *t, struct sbx_regs *regs)
{
	const struct rt_site *s = site_find(rt_data(t), regs->rip);

	if (s && s->state == SITE_FOLLOW && still_patched(s))
		follow_run(follow_of(s->tramp), regs);
}

/* An int3 of ours: a site that is being written, or one that was patched while a thread was in the
 * kernel through it, or whose second instruction is jumped to: the middle of the jump. */
bool rt_trap_fixup(struct sbx_thread *t, struct rt_sigcontext *mc)
{
	static const uint8_t behind[3] = {7, 9, 2}; /* where a call ends, from its patch */
	uint64_t rip = mc->rip - 1;
	const struct rt_site *s;
	struct sbx_regs regs;

	for (unsigned i = 0; i < 3; i++) {
		s = site_find(rt_data(t), rip + behind[i]);
		if (s && s->patched_at == rip && site_is_patched(s)) {
			mc->rip = s->tramp;
			return true;
		}
	}
	s = site_find(rt_data(t), rip);
	if (!s || s->state != SITE_FOLLOW || !still_patched(s))
		return false;
	regs_from_mc(&regs, mc);
	regs.rip = rip;
	follow_run(follow_of(s->tramp), &regs);
	mc_from_regs(mc, &regs);
	return true;
}

/* The trampoline in a page of that kind that rip is in: entries are aligned to 16. */
static uint64_t tramp_at(uint64_t rip)
{
	for (uint64_t at = rip & ~15ul; at + CC_TRAMP_SIZE > rip; at -= 16) {
		if (!memcmp3((const uint8_t *)at, "\x48\x8d\x0d"))
			return at;
		if (!(at & (PAGE - 1)))
			break;
	}
	return 0;
}

bool rt_untramp(struct sbx_thread *t, uint64_t *rip)
{
	const struct rt_data *d = rt_data(t);
	uint32_t n = __atomic_load_n(&d->tramp_page_count, __ATOMIC_ACQUIRE);

	for (uint32_t i = 0; i < n && i < RT_TRAMP_PAGES; i++) {
		uint64_t at, off = *rip - d->tramp_page[i];

		if (off >= PAGE)
			continue;
		at = d->tramp_used[i] & TRAMP_CC_PAGE ? tramp_at(*rip) : *rip - off % TRAMP_SIZE;
		if (!at)
			return false;
		/* The ret is behind the call, all else before it. */
		off = d->tramp_used[i] & TRAMP_CC_PAGE && *rip - at == CC_TRAMP_RET ? 2 : 0;
		*rip = *(const uint64_t *)(at + 24) + off;
		return true;
	}
	return false;
}
