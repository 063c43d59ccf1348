/* A user I/O vector: where the bytes of a read or write call lie. Handlers of files move bytes
 * through it without knowing whether they stand in the slot's window, in guest memory, or in the
 * kernel's own. */
#ifndef SYSD_MM_UIO_H
#define SYSD_MM_UIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct task;

struct uio_seg {
	uint64_t base; /* guest address, or host pointer when kernel is set */
	size_t size;
};

#define UIO_FAST_SEGS 8
struct uio {
	struct task *task; /* whose memory; NULL: kernel memory */
	struct uio_seg *segs;
	unsigned seg_count, seg_index;
	size_t seg_off;
	size_t resid; /* bytes left */
	struct uio_seg fast[UIO_FAST_SEGS];
};

/* One buffer of the task. */
void uio_init_user(struct uio *u, struct task *t, uint64_t uaddr, size_t size);
/* Kernel memory (splice, tests, internal reads). */
void uio_init_kernel(struct uio *u, void *buf, size_t size);
/* An iovec array in guest memory (readv(2): at most IOV_MAX, total at most SSIZE_MAX).
 * Returns 0, -EINVAL, -EFAULT or -ENOMEM; uio_done frees. */
int uio_init_iovec(struct uio *u, struct task *t, uint64_t uiov, size_t count);
void uio_done(struct uio *u);

/* Takes bytes from the vector into dst (a write call) and advances. Returns the count copied, or
 * -EFAULT when the first byte faults. Never sleeps. */
ssize_t uio_copy_from(struct uio *u, void *dst, size_t size);
/* Puts bytes into the vector (a read call) and advances. */
ssize_t uio_copy_to(struct uio *u, const void *src, size_t size);
ssize_t uio_zero(struct uio *u, size_t size);
void uio_advance(struct uio *u, size_t size);
/* Moves up to `size` bytes between the vector and a host descriptor at `off` (-1: its position),
 * through the window where it can. May sleep (offloads when the host would block).
 * Return the count moved or -errno. */
ssize_t uio_pread_host(struct uio *u, int fd, size_t size, off_t off);
ssize_t uio_pwrite_host(struct uio *u, int fd, size_t size, off_t off);

#endif
