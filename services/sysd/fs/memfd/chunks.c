/* The chunk table of a backing; see chunks.h. */
#include "services/sysd/fs/memfd/chunks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/util.h"

/* Where the chunk with this index is, or would be inserted. */
static uint32_t position(const struct backing *b, uint64_t index)
{
	uint32_t lo = 0, hi = b->chunk_count;

	if (hi && b->chunks[hi - 1].index <= index) /* files grow at their end */
		return b->chunks[hi - 1].index == index ? hi - 1 : hi;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (b->chunks[mid].index < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct backing_chunk *chunk_find(const struct backing *b, uint64_t off)
{
	uint64_t index = off / CHUNK_SIZE;
	uint32_t i = position(b, index);

	return i < b->chunk_count && b->chunks[i].index == index ? &b->chunks[i] : NULL;
}

static uint8_t *chunk_map(bool large)
{
	size_t size = large ? 2 * CHUNK_SIZE : CHUNK_SIZE;
	uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			  -1, 0);
	uint8_t *aligned;

	if (p == MAP_FAILED)
		return NULL;
	if (!large)
		return p;
	aligned = (uint8_t *)ALIGN_UP((uintptr_t)p, CHUNK_SIZE);
	if (aligned > p)
		munmap(p, (size_t)(aligned - p));
	if (aligned + CHUNK_SIZE < p + size)
		munmap(aligned + CHUNK_SIZE, (size_t)(p + size - aligned - CHUNK_SIZE));
	madvise(aligned, CHUNK_SIZE, MADV_HUGEPAGE);
	return aligned;
}

struct backing_chunk *chunk_get(struct backing *b, uint64_t off, bool large)
{
	uint64_t index = off / CHUNK_SIZE;
	uint32_t i = position(b, index);
	uint8_t *mem;

	if (i < b->chunk_count && b->chunks[i].index == index)
		return &b->chunks[i];
	if (b->chunk_count == b->chunk_capacity) {
		uint32_t capacity = b->chunk_capacity ? b->chunk_capacity * 2 : 2;
		struct backing_chunk *p = realloc(b->chunks, capacity * sizeof(*p));

		if (!p)
			return NULL;
		b->chunks = p;
		b->chunk_capacity = capacity;
	}
	mem = chunk_map(large);
	if (!mem)
		return NULL;
	memmove(&b->chunks[i + 1], &b->chunks[i], (b->chunk_count - i) * sizeof(b->chunks[0]));
	b->chunk_count++;
	b->chunks[i] = (struct backing_chunk){.index = index, .mem = mem};
	return &b->chunks[i];
}

void chunk_mark(struct backing_chunk *c, uint32_t off, uint32_t size)
{
	for (uint32_t p = off / 4096; p <= (off + size - 1) / 4096; p++)
		c->used[p / 64] |= 1ull << (p % 64);
}

static bool page_used(const struct backing_chunk *c, uint32_t p)
{
	return c->used[p / 64] >> (p % 64) & 1;
}

static bool chunk_empty(const struct backing_chunk *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->used); i++)
		if (c->used[i])
			return false;
	return true;
}

static void chunk_punch(struct backing_chunk *c, uint32_t from, uint32_t to)
{
	uint32_t first = ALIGN_UP(from, 4096u), last = ALIGN_DOWN(to, 4096u);

	if (first >= last) { /* no whole page: within one, or across the border of two */
		uint32_t border = MIN((from / 4096 + 1) * 4096, to);

		if (page_used(c, from / 4096))
			memset(c->mem + from, 0, border - from);
		if (to > border && page_used(c, border / 4096))
			memset(c->mem + border, 0, to - border);
		return;
	}
	if (from < first && page_used(c, from / 4096))
		memset(c->mem + from, 0, first - from);
	if (to > last && page_used(c, last / 4096))
		memset(c->mem + last, 0, to - last);
	madvise(c->mem + first, last - first, MADV_DONTNEED);
	for (uint32_t p = first / 4096; p < last / 4096; p++)
		c->used[p / 64] &= ~(1ull << (p % 64));
}

void chunks_punch(struct backing *b, uint64_t off, uint64_t size)
{
	uint64_t end = off + size < off ? UINT64_MAX : off + size;
	uint32_t i = position(b, off / CHUNK_SIZE), kept = i;

	for (; i < b->chunk_count; i++) {
		struct backing_chunk *c = &b->chunks[i];
		uint64_t start = c->index * CHUNK_SIZE;
		bool gone = false;

		if (start < end) {
			uint32_t from = off > start ? (uint32_t)(off - start) : 0;
			uint32_t to = (uint32_t)MIN(end - start, CHUNK_SIZE);

			if (from || to < CHUNK_SIZE) {
				chunk_punch(c, from, to);
				gone = chunk_empty(c);
			} else {
				gone = true;
			}
		}
		if (gone)
			munmap(c->mem, CHUNK_SIZE);
		else
			b->chunks[kept++] = *c;
	}
	b->chunk_count = kept;
}

void chunks_free(struct backing *b)
{
	for (uint32_t i = 0; i < b->chunk_count; i++)
		munmap(b->chunks[i].mem, CHUNK_SIZE);
	free(b->chunks);
	b->chunks = NULL;
	b->chunk_count = b->chunk_capacity = 0;
}

uint64_t chunks_allocated(const struct backing *b)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < b->chunk_count; i++)
		for (size_t k = 0; k < ARRAY_SIZE(b->chunks[i].used); k++)
			pages += (uint64_t)__builtin_popcountll(b->chunks[i].used[k]);
	return pages * 4096;
}

uint64_t chunks_seek(const struct backing *b, uint64_t off, bool data)
{
	uint32_t i = position(b, off / CHUNK_SIZE);

	for (;; i++) {
		const struct backing_chunk *c = i < b->chunk_count ? &b->chunks[i] : NULL;
		uint64_t start = c ? c->index * CHUNK_SIZE : UINT64_MAX;

		if (!data && off < start) /* between chunks, or past the last */
			return off;
		if (!c)
			return UINT64_MAX;
		off = MAX(off, start);
		for (uint32_t p = (uint32_t)((off - start) / 4096); p < CHUNK_PAGES; p++)
			if (page_used(c, p) == data)
				return MAX(off, start + p * 4096ul);
		off = start + CHUNK_SIZE;
	}
}
