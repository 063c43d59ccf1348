/* Pipes and FIFOs (pipe(7)). A pipe is a ring of buffers of at most a page each, as in Linux, so that
 * PIPE_BUF, F_SETPIPE_SZ, packet mode, tee and splice come out the same. Storage is taken when it is
 * written and given back when it is drained: an idle pipe holds none. */
#ifndef SYSD_FS_PIPE_PIPE_H
#define SYSD_FS_PIPE_PIPE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "services/sysd/core/waitq.h"
#include "services/sysd/event/fasync.h"

struct file;
struct file_ops;
struct inode;
struct task;
struct ucount;
struct uio;

#define PIPE_BUF_SIZE 4096u
#define PIPE_DEFAULT_SLOTS 16u

/* Counted storage; tee(2) shares it. */
struct pipe_block {
	unsigned refs;
	uint32_t size;
	uint8_t data[];
};
#define PIPE_BUF_MERGE 1u  /* a later write may append */
#define PIPE_BUF_PACKET 2u /* O_DIRECT: one read takes it whole */
struct pipe_buf {
	struct pipe_block *block;
	uint8_t *room;     /* PIPE_BUF_SIZE bytes of the block (less for odd blocks: room_size) */
	uint32_t room_size, off, size;
	uint32_t flags;
};

struct pipe {
	struct pipe_buf *ring;
	unsigned slots;           /* a power of two */
	unsigned head, tail;      /* free-running; head - tail are in use */
	unsigned files;           /* open file descriptions */
	unsigned readers, writers;
	uint64_t r_count, w_count; /* opens so far, for FIFO opens that wait */
	bool anonymous;           /* pipe(2): opening it again through /proc never waits */
	bool poll_usage;          /* somebody polls: wake at each write, for edge triggers */
	struct waitq rd_wait, wr_wait;
	struct fasync rd_async, wr_async;
	struct ucount *owner;     /* whose slots these are; may be NULL */
};

static inline unsigned pipe_used(const struct pipe *p)
{
	return p->head - p->tail;
}
static inline bool pipe_empty(const struct pipe *p)
{
	return p->head == p->tail;
}
static inline bool pipe_full(const struct pipe *p)
{
	return p->head - p->tail >= p->slots;
}
static inline struct pipe_buf *pipe_slot(const struct pipe *p, unsigned i)
{
	return &p->ring[i & (p->slots - 1)];
}

extern const struct file_ops pipe_fops;

/* ---- for the VFS ---------------------------------------------------------------------------- */

/* open(2) of a FIFO: fop->open of every S_IFIFO inode. Replaces file->op and sets file->priv. Waits
 * for the other side as fifo(7) says. 0, -ENXIO, -ERESTARTSYS, -ENOMEM; on failure nothing is kept
 * and release must not be called. */
int pipe_fifo_open(struct inode *inode, struct file *file);
/* fcntl F_SETPIPE_SZ and F_GETPIPE_SZ; -EBADF when f is no pipe. */
long pipe_fcntl(struct task *t, struct file *f, int cmd, uint64_t arg);
/* Both ends of a new pipe; flags: O_NONBLOCK, O_DIRECT. */
int pipe_create(unsigned flags, struct file **ret_read, struct file **ret_write);

/* ---- for the splice family ------------------------------------------------------------------ */

struct pipe *pipe_of_file(const struct file *f); /* NULL: not a pipe */

/* A block of `size` bytes; NULL: no memory. */
struct pipe_block *pipe_block_new(uint32_t size);
static inline struct pipe_block *pipe_block_ref(struct pipe_block *b)
{
	b->refs++;
	return b;
}
void pipe_block_unref(struct pipe_block *b);
/* Enters a buffer at the head; the ring must not be full. Takes the block reference. */
void pipe_push(struct pipe *p, struct pipe_block *b, uint8_t *room, uint32_t room_size, uint32_t size,
	       uint32_t flags);
/* Takes bytes off the oldest buffer; drops it when it is empty. */
void pipe_consume(struct pipe *p, uint32_t size);
/* Waits: 0, -EAGAIN, -EPIPE after SIGPIPE (writing), -ERESTARTSYS. For reading 1 means the end: empty
 * without a writer. */
int pipe_wait_readable(struct pipe *p, bool nonblock);
int pipe_wait_writable(struct task *t, struct pipe *p, bool nonblock);
void pipe_wake_readers(struct pipe *p);
void pipe_wake_writers(struct pipe *p);
/* Fills free slots from u, at most `max` bytes, without waiting. Bytes, 0 when full, -EFAULT, -ENOMEM. */
ssize_t pipe_fill(struct pipe *p, struct uio *u, size_t max, bool packet);
/* Moves what is there into u, at most `max` bytes, without waiting; stops after a packet. */
ssize_t pipe_drain(struct pipe *p, struct uio *u, size_t max);

#endif
