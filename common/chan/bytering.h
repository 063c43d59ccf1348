/* A ring of bytes with one producer and one consumer, in memory that both map (or in memory of one process): the
 * send and receive buffers of stream sockets. The two ends may be in processes that do not trust each other: each
 * end keeps its own positions, reads the other's word once, and checks it; a peer that lies makes the ring
 * broken, never memory unsafe.
 *
 * Positions are 64-bit counts of bytes since the beginning and never wrap. The region may be replaced by a larger
 * one while data is under way (bytering_grow): the producer goes on in the new region from `switch_pos` on, the
 * consumer finishes the old one first. */
#ifndef SBX_CHAN_BYTERING_H
#define SBX_CHAN_BYTERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* The shared words. Each cache line has one writer. */
struct bytering_shm {
	_Alignas(64) uint64_t tail;  /* the producer's: bytes put */
	uint64_t fin;                /* the producer's: 1 + the position of the end, 0: none yet */
	uint64_t generation;         /* the producer's: how often the region was changed */
	uint64_t switch_pos;         /* the producer's: where the region of this generation begins, ... */
	uint64_t next_off;           /* ...its place in the arena... */
	uint64_t next_size;          /* ...and its size; unchanged until the consumer left the one before */
	_Alignas(64) uint64_t head;  /* the consumer's: bytes taken */
	uint64_t seen;               /* the consumer's: the generation of the region it reads */
	uint64_t limit;              /* the consumer's: how many bytes may lie in the ring (SO_RCVBUF, a window) */
};

struct bytering_region {
	uint8_t *base;
	uint64_t size;               /* a power of two */
};

/* One end. */
struct bytering {
	struct bytering_shm *shm;
	uint8_t *arena;              /* offsets are relative to this */
	uint64_t arena_size;
	struct bytering_region cur, next; /* next.base NULL: none */
	struct bytering_region left; /* the producer's: the region before, once the consumer left it */
	uint64_t switch_pos, generation;
	uint64_t head, tail;         /* own position, and the last good one of the peer */
	bool broken;
};

/* Lays out a new ring over shm (zeroed, aligned as the struct) and the region [off, off+size) of the arena. A region
 * that is no power of two, or not within the arena, makes the end broken. */
void bytering_init(struct bytering *r, struct bytering_shm *shm, void *arena, uint64_t arena_size, uint64_t off,
		   uint64_t size, uint64_t limit);
/* The other end of the same ring; the same arguments, which it was told. */
void bytering_attach(struct bytering *r, struct bytering_shm *shm, void *arena, uint64_t arena_size, uint64_t off,
		     uint64_t size);

/* producer */
uint64_t bytering_room(struct bytering *r);              /* bytes that may be put now (limit respected) */
/* Up to two pieces of free room of at most `size` bytes in all; returns the count of bytes. Then bytering_put. */
size_t bytering_reserve(struct bytering *r, size_t size, struct iovec iov[2]);
void bytering_put(struct bytering *r, size_t size);      /* publishes them */
size_t bytering_write(struct bytering *r, const void *data, size_t size); /* copies as much as fits */
void bytering_finish(struct bytering *r);                /* no more will come */
/* Continues in another region; false when an earlier change is not over yet, or the region is none. */
bool bytering_grow(struct bytering *r, uint64_t off, uint64_t size);
/* Is the change over? True once, with the region that is free now (the consumer learns it from bytering_take). */
bool bytering_settled(struct bytering *r, struct bytering_region *ret_old);

/* consumer */
uint64_t bytering_avail(struct bytering *r);             /* bytes from head on */
/* Up to two pieces of at most `size` bytes at position `pos` >= head (a retransmission looks in the middle); returns
 * the count of bytes. Fewer than there are only where the pieces would be three (around a change of the region). */
size_t bytering_peek(struct bytering *r, uint64_t pos, size_t size, struct iovec iov[2]);
/* Takes `size` bytes off. Returns true when a region was left behind: *ret_old is free now. */
bool bytering_take(struct bytering *r, size_t size, struct bytering_region *ret_old);
bool bytering_finished(struct bytering *r);              /* the end is reached */
void bytering_set_limit(struct bytering *r, uint64_t limit);

#endif
