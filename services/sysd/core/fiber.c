/* Stackful coroutines; see fiber.h. Stacks are mappings of their own with a guard page below, kept in
 * a small cache because every task that comes and goes needs one. */
#include "services/sysd/core/fiber.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include "common/base/util.h"
#include "services/sysd/core/fiber_sanitizer.h"

#if defined(__SANITIZE_ADDRESS__)
__thread struct fiber *fiber_san_from;
#endif

#define STACK_CACHE_MAX 32
static void *stack_cache[STACK_CACHE_MAX];
static unsigned stack_cache_count;

void fiber_switch_sp(void **save_sp, void *load_sp);
void fiber_entry(void);

static void *stack_alloc(void)
{
	void *p;

	if (stack_cache_count)
		return stack_cache[--stack_cache_count];
	p = mmap(NULL, FIBER_STACK_SIZE + SBX_PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (mprotect(p, SBX_PAGE_SIZE, PROT_NONE) < 0) {
		munmap(p, FIBER_STACK_SIZE + SBX_PAGE_SIZE);
		return NULL;
	}
	return p;
}

static void stack_free(void *p)
{
	if (stack_cache_count < STACK_CACHE_MAX)
		stack_cache[stack_cache_count++] = p;
	else
		munmap(p, FIBER_STACK_SIZE + SBX_PAGE_SIZE);
}

static void fiber_main(void *arg)
{
	struct fiber *f = arg;

	fiber_sanitizer_entered(f);
	f->fn(f->arg);
	__builtin_trap();
}

int fiber_init(struct fiber *f, void (*fn)(void *arg), void *arg)
{
	uint64_t *sp;

	f->stack = stack_alloc();
	if (!f->stack)
		return -ENOMEM;
	f->stack_size = FIBER_STACK_SIZE;
	f->fn = fn;
	f->arg = arg;
	f->san_bottom = NULL;
	f->san_size = 0;
	/* What fiber_switch_sp pops: r15 r14 r13 r12 rbx rbp, then the return address. The entry is
	 * aligned as after a call: rsp + 8 is a multiple of 16 inside fiber_entry's callee. */
	sp = (uint64_t *)((char *)f->stack + SBX_PAGE_SIZE + f->stack_size);
	*--sp = 0;
	*--sp = 0;
	*--sp = (uint64_t)(uintptr_t)fiber_entry;
	*--sp = 0;                               /* rbp */
	*--sp = 0;                               /* rbx */
	*--sp = (uint64_t)(uintptr_t)fiber_main; /* r12 */
	*--sp = (uint64_t)(uintptr_t)f;          /* r13 */
	*--sp = 0;                               /* r14 */
	*--sp = 0;                               /* r15 */
	f->sp = sp;
	fiber_sanitizer_created(f);
	return 0;
}

void fiber_done(struct fiber *f)
{
	if (!f->stack)
		return;
	fiber_sanitizer_destroyed(f);
	stack_free(f->stack);
	f->stack = NULL;
}

void fiber_adopt(struct fiber *f)
{
	f->sp = NULL;
	f->stack = NULL;
	f->stack_size = 0;
	f->san_bottom = NULL;
	f->san_size = 0;
	fiber_sanitizer_adopted(f);
}

void fiber_switch(struct fiber *from, struct fiber *to, int from_dies)
{
	fiber_sanitizer_leaving(from, to, from_dies);
	fiber_switch_sp(&from->sp, to->sp);
	fiber_sanitizer_entered(from);
}
