/* Regions come in powers of two, each at a multiple of its size, and each size has a list of what is free. The address
 * space is sparse and large, so what is free stays as it is, warm for the next user of its size, until nothing of a
 * size is left: then neighbours are merged and larger ones are split. Memory is what was touched, and is given back when
 * a large region is, or when a region has been free for a while and many others were as well. */
#include "netd/api/arena.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/util.h"

#define KEEP_WARM 16384u /* touched bytes of a free region that stay: the next user finds them mapped */
#define KEEP_FREE 64u    /* regions of each size that stay so for ever */

int arena_init(struct arena *a, uint64_t size)
{
	int ret;

	*a = (struct arena){.fd = -1, .size = size, .next = ALIGN_UP(NET_REGIONS_OFF, 1ull << REGION_MIN_SHIFT),
			    .merge_at = 1};
	a->free_ctl = malloc(NET_SOCKS_MAX * sizeof(*a->free_ctl));
	if (!a->free_ctl)
		return -ENOMEM;
	a->fd = memfd_create("sbx-net", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (a->fd < 0)
		return -errno;
	if (ftruncate(a->fd, (off_t)size) < 0 || fcntl(a->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		ret = -errno;
		arena_done(a);
		return ret;
	}
	a->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, a->fd, 0);
	if (a->base == MAP_FAILED) {
		ret = -errno;
		a->base = NULL;
		arena_done(a);
		return ret;
	}
	return 0;
}

void arena_done(struct arena *a)
{
	if (a->base)
		munmap(a->base, a->size);
	a->base = NULL;
	close_fd(&a->fd);
	for (unsigned i = 0; i < ARRAY_SIZE(a->free); i++)
		free(a->free[i].off);
	free(a->free_ctl);
	a->free_ctl = NULL;
}

static unsigned shift_of(uint64_t size)
{
	unsigned shift = REGION_MIN_SHIFT;

	while (shift < REGION_MAX_SHIFT && (1ull << shift) < size)
		shift++;
	return shift;
}

static void keep(struct arena *a, unsigned shift, uint64_t off)
{
	struct region_list *l = &a->free[shift];

	if (l->count == l->room) {
		unsigned room = l->room ? l->room * 2 : 64;
		uint64_t *all = realloc(l->off, room * sizeof(*all));

		if (!all)
			return; /* the address space is lost, no memory is */
		l->off = all;
		l->room = room;
	}
	l->off[l->count++] = off;
}

static bool take(struct arena *a, unsigned shift, uint64_t *ret)
{
	struct region_list *l = &a->free[shift];

	if (!l->count)
		return false;
	*ret = l->off[--l->count];
	l->low = MIN(l->low, l->count);
	l->cold = MIN(l->cold, l->count);
	return true;
}

/* From what was never given out. The way to the next multiple of the size is free in smaller regions. */
static bool take_fresh(struct arena *a, unsigned shift, uint64_t *ret)
{
	uint64_t bytes = 1ull << shift, at = ALIGN_UP(a->next, bytes);

	if (at > a->size || a->size - at < bytes)
		return false;
	while (a->next < at) {
		unsigned gap = (unsigned)__builtin_ctzll(a->next);

		keep(a, gap, a->next);
		a->next += 1ull << gap;
	}
	*ret = at;
	a->next = at + bytes;
	return true;
}

static bool take_split(struct arena *a, unsigned shift, uint64_t *ret)
{
	unsigned from = shift + 1;

	while (from <= REGION_MAX_SHIFT && !a->free[from].count)
		from++;
	if (from > REGION_MAX_SHIFT)
		return false;
	take(a, from, ret);
	while (from-- > shift)
		keep(a, from, *ret + (1ull << from));
	return true;
}

static int by_offset(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static void merge(struct arena *a)
{
	unsigned left = 0;

	for (unsigned shift = REGION_MIN_SHIFT; shift < REGION_MAX_SHIFT; shift++) {
		struct region_list *l = &a->free[shift];
		uint64_t bytes = 1ull << shift;
		unsigned kept = 0;

		if (l->count)
			qsort(l->off, l->count, sizeof(l->off[0]), by_offset);
		for (unsigned i = 0; i < l->count; i++) {
			if (i + 1 < l->count && !(l->off[i] & bytes) && l->off[i + 1] == l->off[i] + bytes) {
				madvise(a->base + l->off[i], 2 * bytes, MADV_REMOVE); /* no end is left warm within */
				keep(a, shift + 1, l->off[i++]);
			} else {
				l->off[kept++] = l->off[i];
			}
		}
		l->count = kept;
		l->low = l->cold = 0; /* their order is another one now */
		left += kept;
	}
	a->puts = 0;
	a->merge_at = 1 + left / 64; /* a guest cannot have all of them sorted for each region that it frees */
}

int arena_get(struct arena *a, uint64_t size, struct net_place *ret)
{
	unsigned shift = shift_of(size);
	uint64_t off;

	if (!take(a, shift, &off) && !take_fresh(a, shift, &off) && !take_split(a, shift, &off)) {
		if (a->puts < a->merge_at)
			return -ENOMEM;
		merge(a);
		if (!take(a, shift, &off) && !take_split(a, shift, &off))
			return -ENOMEM;
	}
	*ret = (struct net_place){off, 1ull << shift};
	return 0;
}

void arena_put(struct arena *a, struct net_place *p, uint64_t used)
{
	struct net_place was = *p;

	*p = (struct net_place){0, 0};
	if (!was.size)
		return;
	if (MIN(used, was.size) > KEEP_WARM)
		madvise(a->base + was.off, was.size, MADV_REMOVE);
	keep(a, shift_of(was.size), was.off);
	a->puts++;
}

bool arena_untidy(const struct arena *a)
{
	for (unsigned shift = REGION_MIN_SHIFT; shift <= REGION_MAX_SHIFT; shift++)
		if (a->free[shift].count > a->free[shift].cold + KEEP_FREE)
			return true;
	return false;
}

unsigned arena_tidy(struct arena *a, unsigned max)
{
	unsigned done = 0;

	for (unsigned shift = REGION_MIN_SHIFT; shift <= REGION_MAX_SHIFT; shift++) {
		struct region_list *l = &a->free[shift];

		for (; done < max && l->cold + KEEP_FREE < l->low; l->cold++, done++)
			madvise(a->base + l->off[l->cold], 1ull << shift, MADV_REMOVE);
		if (done < max)
			l->low = l->count;
	}
	return done;
}

int64_t arena_get_ctl(struct arena *a)
{
	struct net_ctl *c;
	uint32_t index;

	if (a->free_count)
		index = a->free_ctl[--a->free_count];
	else if (a->ctl_used < NET_SOCKS_MAX)
		index = a->ctl_used++;
	else
		return -ENFILE;
	c = net_ctl(a->base, index);
	/* Its number may still be in an event ring: the pending words stay as they are. */
	memset(c, 0, offsetof(struct net_ctl, event_pending));
	memset(&c->tx, 0, sizeof(c->tx));
	memset(&c->rx, 0, sizeof(c->rx));
	return index;
}

void arena_put_ctl(struct arena *a, uint32_t index)
{
	a->free_ctl[a->free_count++] = index;
}
