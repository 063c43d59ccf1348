/* See byteq.h. */
#include "services/sysd/net/inet/byteq.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/util.h"
#include "services/sysd/mm/uio.h"

#define SMALL 4096u
#define LARGE 65536u
#define SPARE_SMALL 256u
#define SPARE_LARGE 64u

struct byteq_chunk {
	struct byteq_chunk *next;
	uint32_t off, end, room; /* bytes [off, end) of data are in the queue */
	uint8_t data[];
};

static struct byteq_chunk *spare[2];
static unsigned spare_count[2];
static uint64_t total;

uint64_t byteq_total(void)
{
	return total;
}

static struct byteq_chunk *chunk_new(size_t want)
{
	unsigned large = want > SMALL - sizeof(struct byteq_chunk);
	struct byteq_chunk *c = spare[large];

	if (c) {
		spare[large] = c->next;
		spare_count[large]--;
	} else {
		c = malloc(large ? LARGE : SMALL);
		if (!c)
			return NULL;
		c->room = (large ? LARGE : SMALL) - (uint32_t)sizeof(*c);
	}
	c->next = NULL;
	c->off = c->end = 0;
	return c;
}

static void chunk_free(struct byteq_chunk *c)
{
	unsigned large = c->room > SMALL;

	if (spare_count[large] >= (large ? SPARE_LARGE : SPARE_SMALL)) {
		free(c);
		return;
	}
	c->next = spare[large];
	spare[large] = c;
	spare_count[large]++;
}

void byteq_trim(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(spare); i++) {
		while (spare[i]) {
			struct byteq_chunk *c = spare[i];

			spare[i] = c->next;
			free(c);
		}
		spare_count[i] = 0;
	}
}

ssize_t byteq_write(struct byteq *q, struct uio *u, size_t size)
{
	size_t done = 0;

	while (done < size) {
		struct byteq_chunk *c = q->last;
		bool fresh = !c || c->end == c->room;
		ssize_t n;

		if (fresh && !(c = chunk_new(size - done)))
			return done ? (ssize_t)done : -ENOMEM;
		n = uio_copy_from(u, c->data + c->end, MIN(size - done, (size_t)(c->room - c->end)));
		if (n > 0) {
			c->end += (uint32_t)n;
			q->tail += (uint64_t)n;
			total += (uint64_t)n;
			done += (size_t)n;
		}
		if (fresh && n > 0) {
			if (q->last)
				q->last->next = c;
			else
				q->first = c;
			q->last = c;
		} else if (fresh) {
			chunk_free(c);
		}
		if (n <= 0)
			return done ? (ssize_t)done : n;
	}
	return (ssize_t)done;
}

ssize_t byteq_copy(struct byteq *q, uint64_t off, struct uio *u, size_t size)
{
	struct byteq_chunk *c = q->first;
	size_t done = 0;

	for (; c && off >= c->end - c->off; c = c->next)
		off -= c->end - c->off;
	for (; c && done < size; c = c->next, off = 0) {
		size_t want = MIN(size - done, (size_t)(c->end - c->off) - (size_t)off);
		ssize_t n = uio_copy_to(u, c->data + c->off + off, want);

		if (n < 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
		if ((size_t)n < want)
			break;
	}
	return (ssize_t)done;
}

void byteq_drop(struct byteq *q, uint64_t size)
{
	size = MIN(size, byteq_count(q));
	q->head += size;
	total -= size;
	while (size) {
		struct byteq_chunk *c = q->first;
		uint32_t n = (uint32_t)MIN(size, (uint64_t)(c->end - c->off));

		c->off += n;
		size -= n;
		if (c->off < c->end)
			break;
		q->first = c->next;
		if (!q->first)
			q->last = NULL;
		chunk_free(c);
	}
}

void byteq_clear(struct byteq *q)
{
	byteq_drop(q, byteq_count(q));
}
