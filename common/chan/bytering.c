/* Byte rings; see bytering.h. A position's place in a region is its remainder by the region's size, so that a change
 * of the region copies nothing: bytes before switch_pos lie in the old one, the others in the new one.
 *
 * Every word of the peer is loaded once, with acquire, and compared with what this end knows to be true. */
#include "common/chan/bytering.h"

#include <string.h>

#include "common/base/util.h"

static uint64_t load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void store(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static bool region_ok(const struct bytering *r, uint64_t off, uint64_t size)
{
	return size && !(size & (size - 1)) && off <= r->arena_size && size <= r->arena_size - off;
}

void bytering_attach(struct bytering *r, struct bytering_shm *shm, void *arena, uint64_t arena_size, uint64_t off,
		     uint64_t size)
{
	*r = (struct bytering){.shm = shm, .arena = arena, .arena_size = arena_size};
	if (region_ok(r, off, size))
		r->cur = (struct bytering_region){r->arena + off, size};
	else
		r->broken = true;
}

void bytering_init(struct bytering *r, struct bytering_shm *shm, void *arena, uint64_t arena_size, uint64_t off,
		   uint64_t size, uint64_t limit)
{
	bytering_attach(r, shm, arena, arena_size, off, size);
	store(&shm->limit, limit);
}

/* Pieces of [pos, pos+size) in one region, appended to iov. */
static unsigned pieces(const struct bytering_region *g, uint64_t pos, uint64_t size, struct iovec *iov,
		       unsigned count)
{
	uint64_t at = pos & (g->size - 1), first = MIN(size, g->size - at);

	if (first && count < 2)
		iov[count++] = (struct iovec){g->base + at, first};
	if (size > first && count < 2)
		iov[count++] = (struct iovec){g->base, size - first};
	return count;
}

static size_t total(const struct iovec iov[2], unsigned count)
{
	return (count > 0 ? iov[0].iov_len : 0) + (count > 1 ? iov[1].iov_len : 0);
}

/* ---- producer ----------------------------------------------------------------------------------- */

static bool sync_head(struct bytering *r)
{
	uint64_t head;

	if (r->broken)
		return false;
	head = load(&r->shm->head);
	if (head < r->head || head > r->tail) {
		r->broken = true;
		return false;
	}
	r->head = head;
	if (r->next.base && head >= r->switch_pos && load(&r->shm->seen) == r->generation) {
		r->left = r->cur;
		r->cur = r->next;
		r->next.base = NULL;
	}
	return true;
}

uint64_t bytering_room(struct bytering *r)
{
	uint64_t used, limit, free;

	if (!sync_head(r))
		return 0;
	used = r->tail - r->head;
	limit = load(&r->shm->limit);
	free = r->next.base ? r->next.size - (r->tail - r->switch_pos) : r->cur.size - used;
	return limit > used ? MIN(limit - used, free) : 0;
}

size_t bytering_reserve(struct bytering *r, size_t size, struct iovec iov[2])
{
	uint64_t room = bytering_room(r);

	return total(iov, pieces(r->next.base ? &r->next : &r->cur, r->tail, MIN(size, room), iov, 0));
}

void bytering_put(struct bytering *r, size_t size)
{
	r->tail += size;
	store(&r->shm->tail, r->tail);
}

size_t bytering_write(struct bytering *r, const void *data, size_t size)
{
	struct iovec iov[2];
	size_t n = bytering_reserve(r, size, iov);

	if (!n)
		return 0;
	memcpy(iov[0].iov_base, data, iov[0].iov_len);
	if (n > iov[0].iov_len)
		memcpy(iov[1].iov_base, (const uint8_t *)data + iov[0].iov_len, n - iov[0].iov_len);
	bytering_put(r, n);
	return n;
}

void bytering_finish(struct bytering *r)
{
	store(&r->shm->fin, r->tail + 1);
}

bool bytering_grow(struct bytering *r, uint64_t off, uint64_t size)
{
	if (!sync_head(r) || r->next.base || r->left.base || !region_ok(r, off, size))
		return false;
	r->next = (struct bytering_region){r->arena + off, size};
	r->switch_pos = r->tail;
	r->shm->next_off = off;
	r->shm->next_size = size;
	r->shm->switch_pos = r->tail;
	store(&r->shm->generation, ++r->generation);
	return true;
}

bool bytering_settled(struct bytering *r, struct bytering_region *ret_old)
{
	if (!r->left.base)
		sync_head(r);
	if (!r->left.base)
		return false;
	*ret_old = r->left;
	r->left.base = NULL;
	return true;
}

/* ---- consumer ----------------------------------------------------------------------------------- */

static bool look_at_next(struct bytering *r)
{
	uint64_t generation = load(&r->shm->generation), off, size, at;

	if (generation == r->generation)
		return true;
	/* One change at a time: the next one waits until this end has left the region before. */
	if (generation != r->generation + 1 || r->next.base)
		return false;
	off = load(&r->shm->next_off);
	size = load(&r->shm->next_size);
	at = load(&r->shm->switch_pos);
	if (!region_ok(r, off, size) || at < r->head || at - r->head > r->cur.size)
		return false;
	r->next = (struct bytering_region){r->arena + off, size};
	r->switch_pos = at;
	r->generation = generation;
	return true;
}

static bool sync_tail(struct bytering *r)
{
	uint64_t tail;

	if (r->broken)
		return false;
	/* A tail behind a change of the region was stored after the change: so the tail is read first, and again when
	 * there is news, for the change may lie behind the tail that was read. */
	tail = load(&r->shm->tail);
	if (load(&r->shm->generation) != r->generation) {
		if (!look_at_next(r))
			goto broken;
		tail = load(&r->shm->tail);
	}
	if (tail < r->tail || tail < r->head)
		goto broken;
	if (r->next.base) {
		if (tail < r->switch_pos || tail - r->switch_pos > r->next.size)
			goto broken;
	} else if (tail - r->head > r->cur.size) {
		goto broken;
	}
	r->tail = tail;
	return true;
broken:
	r->broken = true;
	return false;
}

uint64_t bytering_avail(struct bytering *r)
{
	return sync_tail(r) ? r->tail - r->head : 0;
}

size_t bytering_peek(struct bytering *r, uint64_t pos, size_t size, struct iovec iov[2])
{
	uint64_t old = 0;
	unsigned count = 0;

	if (!sync_tail(r) || pos < r->head || pos >= r->tail)
		return 0;
	size = MIN(size, r->tail - pos);
	if (!r->next.base)
		return total(iov, pieces(&r->cur, pos, size, iov, 0));
	if (pos < r->switch_pos) {
		old = MIN(size, r->switch_pos - pos);
		count = pieces(&r->cur, pos, old, iov, 0);
	}
	if (size > old)
		count = pieces(&r->next, pos + old, size - old, iov, count);
	return total(iov, count);
}

bool bytering_take(struct bytering *r, size_t size, struct bytering_region *ret_old)
{
	bool left = false;

	r->head += size;
	if (!r->next.base)
		sync_tail(r); /* a change that came meanwhile ends here when all before it is taken */
	if (!r->broken && r->next.base && r->head >= r->switch_pos) {
		*ret_old = r->cur;
		r->cur = r->next;
		r->next.base = NULL;
		left = true;
	}
	store(&r->shm->head, r->head);
	if (left)
		store(&r->shm->seen, r->generation);
	return left;
}

bool bytering_finished(struct bytering *r)
{
	uint64_t fin = load(&r->shm->fin);

	return fin && (fin - 1 <= r->head || r->broken);
}

void bytering_set_limit(struct bytering *r, uint64_t limit)
{
	store(&r->shm->limit, limit);
}
