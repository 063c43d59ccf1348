/* Regions come in powers of two, each size with a list of what is free. The address space is sparse and large, so
 * nothing is ever merged; memory is what was touched, and is given back when a large region is. */
#include "netd/api/arena.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/util.h"

#define KEEP_WARM 16384u /* touched bytes of a free region that stay: the next user finds them mapped */

int arena_init(struct arena *a, uint64_t size)
{
	int ret;

	*a = (struct arena){.fd = -1, .size = size, .next = ALIGN_UP(NET_REGIONS_OFF, 1ull << REGION_MIN_SHIFT)};
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

int arena_get(struct arena *a, uint64_t size, struct net_place *ret)
{
	unsigned shift = shift_of(size);
	struct region_list *l = &a->free[shift];
	uint64_t bytes = 1ull << shift;

	if (l->count) {
		*ret = (struct net_place){l->off[--l->count], bytes};
		return 0;
	}
	if (a->size - a->next < bytes)
		return -ENOMEM;
	*ret = (struct net_place){a->next, bytes};
	a->next += bytes;
	return 0;
}

void arena_put(struct arena *a, struct net_place *p, uint64_t used)
{
	struct region_list *l;
	struct net_place was = *p;

	*p = (struct net_place){0, 0};
	if (!was.size)
		return;
	if (MIN(used, was.size) > KEEP_WARM)
		madvise(a->base + was.off, was.size, MADV_REMOVE);
	l = &a->free[shift_of(was.size)];
	if (l->count == l->room) {
		unsigned room = l->room ? l->room * 2 : 64;
		uint64_t *off = realloc(l->off, room * sizeof(*off));

		if (!off)
			return; /* the address space is lost, no memory is */
		l->off = off;
		l->room = room;
	}
	l->off[l->count++] = was.off;
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
