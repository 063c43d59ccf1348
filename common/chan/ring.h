/* A message ring between two processes: one memfd (sealed in size) with two one-way rings. Each
 * direction has one producer thread and one consumer thread. A message is up to RING_MSG_MAX bytes,
 * copied in and copied out: nothing is decoded in shared memory. The peer may be hostile: indices and
 * lengths are read once and checked; a broken ring yields -EPROTO for ever.
 *
 * Sleeping is by futex on a word of the ring, and only when nobody spins; a producer makes no system
 * call unless the consumer announced that it sleeps. */
#ifndef SBX_CHAN_RING_H
#define SBX_CHAN_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RING_MSG_MAX (128 * 1024u)
#define RING_DIR_SIZE (1024 * 1024u) /* bytes of data for each direction, a power of two */

struct ring_shm;

/* One end. side 0 produces into direction 0 and consumes direction 1; side 1 the other way. */
struct ring {
	struct ring_shm *shm;
	int side;
	bool broken;
	uint32_t tail, head; /* own copies: what I produced, what I consumed */
};

/* Makes the memfd (for the launcher, or whoever makes both ends). The descriptor or -errno. */
int ring_create_fd(void);
/* Maps an end; fd stays the caller's. 0, -EINVAL (not a ring, not sealed) or -errno. */
int ring_open(struct ring *r, int fd, int side);
void ring_close(struct ring *r);
/* Sends. 0, -EAGAIN when the ring is full, -EMSGSIZE, -EPROTO. Wakes a sleeping consumer. */
int ring_send(struct ring *r, const void *msg, size_t size);
/* As ring_send, but never wakes: for what the peer reads when something else wakes it. */
int ring_send_quiet(struct ring *r, const void *msg, size_t size);
/* Wakes a consumer that sleeps over what was sent quietly. */
void ring_wake(struct ring *r);
/* Takes the next message: its size, -EAGAIN when there is none, -EPROTO, -EMSGSIZE (buf too small). */
ssize_t ring_recv(struct ring *r, void *buf, size_t size);
bool ring_readable(const struct ring *r);
/* Has the consumer taken what was sent before mark, which was r->tail then? For the time after its death. */
bool ring_was_taken(const struct ring *r, uint32_t mark);
/* Sleeps until something can be received: spins for spin_us first (0: not at all), then futex-waits.
 * timeout_ns < 0: for ever. 0, -ETIMEDOUT, -EINTR. */
int ring_wait(struct ring *r, unsigned spin_us, int64_t timeout_ns);

/* A count beside the messages: one end raises it (a signal handler may), the other looks at it when it likes; nobody
 * is woken. */
void ring_raise_news(struct ring *r);
uint32_t ring_news(const struct ring *r);

/* For an event loop that sleeps on several futexes (futex_waitv): announce that the consumer will sleep.
 * Returns false when a message is there. *ret_word and *ret_val are what to wait on. */
bool ring_prepare_sleep(struct ring *r, uint32_t **ret_word, uint32_t *ret_val);
void ring_finish_sleep(struct ring *r);

#endif
