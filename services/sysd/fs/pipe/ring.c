/* The ring of a pipe: storage, filling and draining. Several slots that are filled at once share one
 * block whose pages lie side by side, so that one copy from or to the guest moves them together. */
#include "services/sysd/fs/pipe/pipe.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/util.h"
#include "services/sysd/mm/uio.h"

#define CACHE_MAX 16
static struct pipe_block *cache[CACHE_MAX]; /* free blocks of one page */
static unsigned cache_count;

struct pipe_block *pipe_block_new(uint32_t size)
{
	struct pipe_block *b;

	if (size == PIPE_BUF_SIZE && cache_count)
		b = cache[--cache_count];
	else
		b = malloc(sizeof(*b) + size);
	if (!b)
		return NULL;
	b->refs = 1;
	b->size = size;
	return b;
}

void pipe_block_unref(struct pipe_block *b)
{
	if (--b->refs)
		return;
	if (b->size == PIPE_BUF_SIZE && cache_count < CACHE_MAX)
		cache[cache_count++] = b;
	else
		free(b);
}

void pipe_push(struct pipe *p, struct pipe_block *b, uint8_t *room, uint32_t room_size, uint32_t size,
	       uint32_t flags)
{
	*pipe_slot(p, p->head++) = (struct pipe_buf){b, room, room_size, 0, size, flags};
}

void pipe_consume(struct pipe *p, uint32_t size)
{
	struct pipe_buf *buf = pipe_slot(p, p->tail);

	buf->off += size;
	buf->size -= size;
	if (!buf->size) {
		pipe_block_unref(buf->block);
		buf->block = NULL;
		p->tail++;
	}
}

/* Appends the odd end of a write to the last buffer, when all of it fits (so that writes of at most
 * PIPE_BUF stay whole). */
static ssize_t merge(struct pipe *p, struct uio *u, size_t max)
{
	uint32_t chars = (uint32_t)(max & (PIPE_BUF_SIZE - 1));
	struct pipe_buf *buf;
	ssize_t n;

	if (!chars || pipe_empty(p))
		return 0;
	buf = pipe_slot(p, p->head - 1);
	if (!(buf->flags & PIPE_BUF_MERGE) || buf->off + buf->size + chars > buf->room_size)
		return 0;
	n = uio_copy_from(u, buf->room + buf->off + buf->size, chars);
	if (n > 0)
		buf->size += (uint32_t)n;
	return n;
}

ssize_t pipe_fill(struct pipe *p, struct uio *u, size_t max, bool packet)
{
	ssize_t done;

	max = MIN(max, u->resid);
	done = merge(p, u, max);
	if (done < 0)
		return done;
	while ((size_t)done < max && !pipe_full(p)) {
		size_t want = MIN(max - (size_t)done, (size_t)(p->slots - pipe_used(p)) * PIPE_BUF_SIZE);
		unsigned pages = (unsigned)((want + PIPE_BUF_SIZE - 1) / PIPE_BUF_SIZE);
		struct pipe_block *b;
		ssize_t n;

		pages = MIN(pages, 16u);
		b = pipe_block_new(pages * PIPE_BUF_SIZE);
		if (!b && pages > 1)
			b = pipe_block_new((pages = 1) * PIPE_BUF_SIZE);
		if (!b)
			return done ? done : -ENOMEM;
		want = MIN(want, (size_t)pages * PIPE_BUF_SIZE);
		n = uio_copy_from(u, b->data, want);
		for (ssize_t off = 0; off < n; off += PIPE_BUF_SIZE)
			pipe_push(p, pipe_block_ref(b), b->data + off, PIPE_BUF_SIZE,
				  (uint32_t)MIN(n - off, (ssize_t)PIPE_BUF_SIZE),
				  packet ? PIPE_BUF_PACKET : PIPE_BUF_MERGE);
		pipe_block_unref(b);
		if (n < 0)
			return done ? done : n;
		done += n;
		if ((size_t)n < want)
			break; /* the guest's memory ends here */
	}
	return done;
}

/* How many bytes from the tail on lie side by side, at most max. */
static size_t run_size(const struct pipe *p, size_t max)
{
	const struct pipe_buf *buf = pipe_slot(p, p->tail), *next;
	const uint8_t *end = buf->room + buf->off + buf->size;
	size_t run = buf->size;

	for (unsigned i = p->tail + 1; i != p->head && run < max; i++) {
		next = pipe_slot(p, i);
		if (next->block != buf->block || next->room + next->off != end)
			break;
		run += next->size;
		end += next->size;
	}
	return MIN(run, max);
}

ssize_t pipe_drain(struct pipe *p, struct uio *u, size_t max)
{
	ssize_t done = 0;

	max = MIN(max, u->resid);
	while ((size_t)done < max && !pipe_empty(p)) {
		struct pipe_buf *buf = pipe_slot(p, p->tail);
		bool packet = buf->flags & PIPE_BUF_PACKET;
		size_t want = packet ? MIN((size_t)buf->size, max - (size_t)done)
				     : run_size(p, max - (size_t)done);
		ssize_t n = uio_copy_to(u, buf->room + buf->off, want);

		if (n < 0)
			return done ? done : n;
		done += n;
		if (packet) { /* what did not fit is lost */
			pipe_consume(p, buf->size);
			break;
		}
		for (size_t left = (size_t)n; left;) {
			uint32_t take = (uint32_t)MIN(left, (size_t)pipe_slot(p, p->tail)->size);

			pipe_consume(p, take);
			left -= take;
		}
		if ((size_t)n < want)
			break;
	}
	return done;
}
