/* A queue of bytes in chunks, for connections within the sandbox: bytes go from the sender's memory into it and from it
 * into the receiver's. Chunks are used again at once, so a short queue stays in the cache. */
#ifndef SYSD_NET_INET_BYTEQ_H
#define SYSD_NET_INET_BYTEQ_H

#include <stdint.h>
#include <sys/types.h>

struct uio;
struct byteq_chunk;
struct byteq {
	struct byteq_chunk *first, *last;
	uint64_t head, tail;  /* positions: taken, put */
};
static inline uint64_t byteq_count(const struct byteq *q)
{
	return q->tail - q->head;
}
/* Bytes in all queues. */
uint64_t byteq_total(void);
/* Frees the chunks that are kept for later. */
void byteq_trim(void);

/* Takes up to `size` bytes out of u. The count, -EFAULT, -ENOMEM (nothing was taken). Never sleeps. */
ssize_t byteq_write(struct byteq *q, struct uio *u, size_t size);
/* Copies up to `size` bytes from `off` bytes behind the head; the count, or -EFAULT. */
ssize_t byteq_copy(struct byteq *q, uint64_t off, struct uio *u, size_t size);
void byteq_drop(struct byteq *q, uint64_t size);
void byteq_clear(struct byteq *q);

#endif
