/* The chunk table of a backing: file content in anonymous memory, with holes. Private to memfd/. */
#ifndef SYSD_FS_MEMFD_CHUNKS_H
#define SYSD_FS_MEMFD_CHUNKS_H

#include <stdbool.h>
#include <stdint.h>
#include "services/sysd/fs/memfd/backing.h"

#define CHUNK_SIZE (2ul << 20) /* address space; its pages are the host's to fill when touched */
#define CHUNK_PAGES (CHUNK_SIZE / 4096)

struct backing_chunk {
	uint64_t index;
	uint8_t *mem;
	uint64_t used[CHUNK_PAGES / 64]; /* pages that were written: data, not holes */
};

/* The chunk of an offset, or NULL. */
struct backing_chunk *chunk_find(const struct backing *b, uint64_t off);
/* The same, made when missing. large: back it by large pages if the host has them. NULL: no memory. */
struct backing_chunk *chunk_get(struct backing *b, uint64_t off, bool large);
void chunk_mark(struct backing_chunk *c, uint32_t off, uint32_t size);
/* Makes [off, off + size) a hole: whole pages are given back, the rest is zeroed. */
void chunks_punch(struct backing *b, uint64_t off, uint64_t size);
void chunks_free(struct backing *b);
uint64_t chunks_allocated(const struct backing *b);
/* First offset >= off in data (or in a hole); UINT64_MAX: none below the last chunk's end. */
uint64_t chunks_seek(const struct backing *b, uint64_t off, bool data);

#endif
