/* The content of a file that lives in memory (tmpfs, memfd_create(2), shared anonymous objects): a small
 * file is one heap buffer, a larger one a table of chunks with holes; it moves into a host memfd of its
 * own when something needs a descriptor (mmap, exec), because sysd's descriptors are few and a copy
 * straight into its memory is cheaper than two. Callers check permissions, limits and seals; a backing
 * belongs to one inode and is embedded there.
 *
 * Nothing here sleeps, but read and write may fault in guest memory. All return -errno. */
#ifndef SYSD_FS_MEMFD_BACKING_H
#define SYSD_FS_MEMFD_BACKING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct uio;
struct mmap_req;

struct backing {
	uint64_t size;        /* the file's; change it through the functions only */
	uint8_t *small;       /* small_capacity bytes; content beyond size is zero */
	uint32_t small_capacity;
	uint32_t seals;       /* F_SEAL_*; meaningful when sealable */
	struct backing_chunk *chunks; /* sorted by index; what is missing is a hole */
	uint32_t chunk_count, chunk_capacity;
	int fd;               /* host memfd, or -1 */
	bool sealable;        /* made by memfd_create(MFD_ALLOW_SEALING) */
	bool noexec;          /* MFD_NOEXEC_SEAL: made without execute bits */
	uint64_t object_id;   /* for mmap_req */
};

void backing_init(struct backing *b);
/* Frees all storage; the guest's mappings of a host memfd stay valid. */
void backing_done(struct backing *b);

/* Up to u->resid bytes from `off` on, none at or past the end; holes read as zero. */
ssize_t backing_read(struct backing *b, struct uio *u, uint64_t off);
/* Writes and extends. -ENOSPC or -ENOMEM when there is no memory, -EFBIG past the largest size. */
ssize_t backing_write(struct backing *b, struct uio *u, uint64_t off);
/* Sets the size; what is cut is freed and reads as zero when the file grows again. */
int backing_truncate(struct backing *b, uint64_t size);
/* fallocate(2): mode 0, KEEP_SIZE, PUNCH_HOLE|KEEP_SIZE, ZERO_RANGE; others -EOPNOTSUPP. */
int backing_fallocate(struct backing *b, int mode, uint64_t off, uint64_t size);
/* SEEK_DATA, SEEK_HOLE: the offset, or -ENXIO. */
int64_t backing_seek(struct backing *b, uint64_t off, int whence);
/* Bytes of storage in use. */
uint64_t backing_allocated(struct backing *b);
/* The host memfd (made now if need be); stays the backing's. */
int backing_host_fd(struct backing *b);
/* Answers file_ops.mmap. */
int backing_mmap(struct backing *b, struct mmap_req *req);
/* F_ADD_SEALS with Linux's rules: -EPERM when F_SEAL_SEAL is set or it is not sealable, -EBUSY for
 * F_SEAL_WRITE while a writable shared mapping exists, -EINVAL. */
int backing_add_seals(struct backing *b, uint32_t seals);
/* 0, or -EPERM when a seal forbids: a write or size change of [off, off + size). */
int backing_check_write(const struct backing *b, uint64_t off, uint64_t size);
int backing_check_truncate(const struct backing *b, uint64_t size);
int backing_check_fallocate(const struct backing *b, int mode, uint64_t off, uint64_t size);

/* Is f's content a backing with seals (memfd or tmpfs file)? For fcntl(F_ADD_SEALS, F_GET_SEALS). */
struct file;
struct backing *backing_of_file(struct file *f);
/* Each file system with backings announces how to find one: by the file_ops of its regular files. */
struct file_ops;
void backing_register(const struct file_ops *fops, struct backing *(*get)(struct file *f));

#endif
