/* What AddressSanitizer and ThreadSanitizer must be told about stack switches. */
#ifndef SYSD_CORE_FIBER_SANITIZER_H
#define SYSD_CORE_FIBER_SANITIZER_H

#include "services/sysd/core/fiber.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/asan_interface.h>
extern __thread struct fiber *fiber_san_from;

static inline void fiber_sanitizer_created(struct fiber *f)
{
	f->sanitizer = NULL;
	__asan_unpoison_memory_region((char *)f->stack + 4096, f->stack_size);
}
static inline void fiber_sanitizer_destroyed(struct fiber *f)
{
	__asan_unpoison_memory_region((char *)f->stack + 4096, f->stack_size);
}
static inline void fiber_sanitizer_adopted(struct fiber *f)
{
	f->sanitizer = NULL;
}
static inline void fiber_sanitizer_leaving(struct fiber *from, struct fiber *to, int dies)
{
	const void *bottom = to->stack ? (char *)to->stack + 4096 : to->san_bottom;
	size_t size = to->stack ? to->stack_size : to->san_size;

	fiber_san_from = from;
	__sanitizer_start_switch_fiber(dies ? NULL : &from->sanitizer, bottom, size);
}
static inline void fiber_sanitizer_entered(struct fiber *f)
{
	const void *bottom;
	size_t size;

	__sanitizer_finish_switch_fiber(f->sanitizer, &bottom, &size);
	if (fiber_san_from && !fiber_san_from->stack) {
		fiber_san_from->san_bottom = bottom;
		fiber_san_from->san_size = size;
	}
}
#elif defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
static inline void fiber_sanitizer_created(struct fiber *f)
{
	f->sanitizer = __tsan_create_fiber(0);
}
static inline void fiber_sanitizer_destroyed(struct fiber *f)
{
	__tsan_destroy_fiber(f->sanitizer);
}
static inline void fiber_sanitizer_adopted(struct fiber *f)
{
	f->sanitizer = __tsan_get_current_fiber();
}
static inline void fiber_sanitizer_leaving(struct fiber *from, struct fiber *to, int dies)
{
	__tsan_switch_to_fiber(to->sanitizer, 0);
}
static inline void fiber_sanitizer_entered(struct fiber *f)
{
}
#else
static inline void fiber_sanitizer_created(struct fiber *f)
{
}
static inline void fiber_sanitizer_destroyed(struct fiber *f)
{
}
static inline void fiber_sanitizer_adopted(struct fiber *f)
{
}
static inline void fiber_sanitizer_leaving(struct fiber *from, struct fiber *to, int dies)
{
}
static inline void fiber_sanitizer_entered(struct fiber *f)
{
}
#endif
#endif
