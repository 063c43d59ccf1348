/* User I/O vectors; see uio.h. */
#include "services/sysd/mm/uio.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/base/util.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/mm/usercopy_backend.h"
#include "services/sysd/mm/window.h"
#include "services/sysd/task/task.h"

#define USER_TOP 0x7ffffffff000ull

void uio_init_user(struct uio *u, struct task *t, uint64_t uaddr, size_t size)
{
	*u = (struct uio){.task = t, .seg_count = 1, .resid = size};
	u->fast[0] = (struct uio_seg){uaddr, size};
	u->segs = u->fast;
}

void uio_init_kernel(struct uio *u, void *buf, size_t size)
{
	uio_init_user(u, NULL, (uint64_t)(uintptr_t)buf, size);
}

int uio_init_iovec(struct uio *u, struct task *t, uint64_t uiov, size_t count)
{
	struct abi_iovec {
		uint64_t base, size;
	} iov[64];
	size_t total = 0;

	*u = (struct uio){.task = t};
	u->segs = u->fast;
	if (count > IOV_MAX)
		return -EINVAL;
	if (count > UIO_FAST_SEGS) {
		u->segs = calloc(count, sizeof(*u->segs));
		if (!u->segs) {
			u->segs = u->fast;
			return -ENOMEM;
		}
	}
	for (size_t i = 0; i < count; i += ARRAY_SIZE(iov)) {
		size_t n = MIN(count - i, ARRAY_SIZE(iov));

		if (user_read(t, iov, uiov + i * sizeof(iov[0]), n * sizeof(iov[0])) < 0) {
			uio_done(u);
			return -EFAULT;
		}
		for (size_t k = 0; k < n; k++) {
			if ((ssize_t)iov[k].size < 0) {
				uio_done(u);
				return -EINVAL;
			}
			if (iov[k].size && (iov[k].base >= USER_TOP || iov[k].size > USER_TOP - iov[k].base)) {
				uio_done(u);
				return -EFAULT;
			}
			/* Linux cuts the total at MAX_RW_COUNT rather than failing. */
			if (iov[k].size > 0x7ffff000ul - total)
				iov[k].size = 0x7ffff000ul - total;
			total += iov[k].size;
			u->segs[u->seg_count++] = (struct uio_seg){iov[k].base, iov[k].size};
		}
	}
	u->resid = total;
	return 0;
}

void uio_done(struct uio *u)
{
	if (u->segs != u->fast)
		free(u->segs);
	u->segs = u->fast;
	u->seg_count = 0;
	u->resid = 0;
}

/* The current piece: its address and size, 0 at the end. */
static size_t piece(struct uio *u, uint64_t *ret_addr)
{
	while (u->seg_index < u->seg_count && u->seg_off == u->segs[u->seg_index].size) {
		u->seg_index++;
		u->seg_off = 0;
	}
	if (u->seg_index == u->seg_count)
		return 0;
	*ret_addr = u->segs[u->seg_index].base + u->seg_off;
	return u->segs[u->seg_index].size - u->seg_off;
}

void uio_advance(struct uio *u, size_t size)
{
	uint64_t addr;

	while (size) {
		size_t n = MIN(piece(u, &addr), size);

		if (!n)
			return;
		u->seg_off += n;
		u->resid -= n;
		size -= n;
	}
}

static bool user_range_ok(uint64_t addr, size_t size)
{
	return addr >= SBX_PAGE_SIZE && addr < USER_TOP && size <= USER_TOP - addr;
}

ssize_t uio_copy_from(struct uio *u, void *dst, size_t size)
{
	size_t done = 0;

	while (done < size) {
		uint64_t addr = 0;
		size_t n = MIN(piece(u, &addr), size - done), have;
		ssize_t got = (ssize_t)n;
		const uint8_t *w;

		if (!n)
			break;
		if (!u->task) {
			memcpy((char *)dst + done, (void *)(uintptr_t)addr, n);
		} else if ((w = window_find_in(u->task, addr, &have))) {
			n = MIN(n, have);
			got = (ssize_t)n;
			memcpy((char *)dst + done, w, n);
		} else if (!user_range_ok(addr, n)) {
			got = -EFAULT;
		} else {
			got = usercopy_backend->read(u->task, NULL, (char *)dst + done, addr, n);
		}
		if (got > 0) {
			uio_advance(u, (size_t)got);
			done += (size_t)got;
		}
		if (got < (ssize_t)n)
			return done ? (ssize_t)done : -EFAULT;
	}
	return (ssize_t)done;
}

#define WINDOW_COPY_MAX 65536u /* beyond that one copy by the host is cheaper than two */

ssize_t uio_copy_to(struct uio *u, const void *src, size_t size)
{
	size_t done = 0;

	while (done < size) {
		uint64_t addr = 0;
		size_t n = MIN(piece(u, &addr), size - done);
		ssize_t got = (ssize_t)n;
		uint8_t *w;

		if (!n)
			break;
		if (!u->task) {
			memcpy((void *)(uintptr_t)addr, (const char *)src + done, n);
		} else if (!user_range_ok(addr, n)) {
			got = -EFAULT;
		} else if (n <= WINDOW_COPY_MAX && (w = window_reserve_out(u->task, addr, n))) {
			memcpy(w, (const char *)src + done, n);
		} else {
			got = usercopy_backend->write(u->task, NULL, addr, (const char *)src + done, n);
		}
		if (got > 0) {
			uio_advance(u, (size_t)got);
			done += (size_t)got;
		}
		if (got < (ssize_t)n)
			return done ? (ssize_t)done : -EFAULT;
	}
	return (ssize_t)done;
}

ssize_t uio_zero(struct uio *u, size_t size)
{
	static const uint8_t zeros[65536];
	size_t done = 0;

	while (done < size) {
		size_t n = MIN(size - done, sizeof(zeros));
		ssize_t got = uio_copy_to(u, zeros, n);

		if (got < 0)
			return done ? (ssize_t)done : got;
		done += (size_t)got;
		if ((size_t)got < n)
			break;
	}
	return (ssize_t)done;
}

struct host_io {
	int fd;
	void *buf;
	size_t size;
	off_t off;
};

static long host_pread(void *arg)
{
	struct host_io *io = arg;
	ssize_t n = io->off < 0 ? read(io->fd, io->buf, io->size)
				: pread(io->fd, io->buf, io->size, io->off);

	return n < 0 ? -errno : n;
}

/* Reads what the host has in memory at once; the rest on a worker, since a disk may be slow. */
static ssize_t pread_some(int fd, void *buf, size_t size, off_t off)
{
	struct iovec iov = {buf, size};
	struct host_io io = {fd, buf, size, off};
	ssize_t n = preadv2(fd, &iov, 1, off, RWF_NOWAIT);

	if (n >= 0)
		return n;
	if (errno == EAGAIN)
		return off < 0 ? sched_offload(host_pread, &io) : sched_block(host_pread, &io);
	if (errno == EOPNOTSUPP || errno == EINVAL)
		return host_pread(&io);
	return -errno;
}

/* Of much that is in the host's memory one copy is enough: out of a mapping of the file, by the host, to which
 * a page that is not there (truncated meanwhile, a broken disk) is a short count and no signal. But it waits for
 * the disk where that is needed. */
#define MAP_MIN (512 * 1024ul)
#define MAP_MAX (4096 * 1024ul)

struct map_io {
	struct task *t;
	uint64_t addr;
	int fd;
	size_t size;
	off_t off;
};

static long copy_mapped(void *arg)
{
	struct map_io *io = arg;
	off_t skip = io->off & (off_t)(SBX_PAGE_SIZE - 1);
	struct stat st;
	char *p;
	long n;

	if (fstat(io->fd, &st) < 0 || !S_ISREG(st.st_mode) || io->off >= st.st_size)
		return 0;
	io->size = MIN(io->size, (size_t)(st.st_size - io->off));
	if (io->size < MAP_MIN || st.st_blocks * 512 < st.st_size) /* a hole that is mapped takes memory */
		return 0;
	p = mmap(NULL, io->size + (size_t)skip, PROT_READ, MAP_SHARED, io->fd, io->off - skip);
	if (p == MAP_FAILED)
		return 0;
	n = usercopy_backend->write(io->t, NULL, io->addr, p + skip, io->size);
	munmap(p, io->size + (size_t)skip);
	return n;
}

/* 0 or -errno: it was not to be had this way. */
static ssize_t pread_mapped(struct uio *u, int fd, uint64_t addr, size_t size, off_t off)
{
	struct map_io io = {u->task, addr, fd, MIN(size, MAP_MAX), off};

	/* on a worker it would be slower than what the others do */
	return off >= 0 && size >= MAP_MIN && sched_current() && sched_block_here() ? sched_block(copy_mapped, &io) : 0;
}

#define BOUNCE_SIZE (256 * 1024ul)

static ssize_t pread_bounce(struct uio *u, int fd, uint64_t addr, size_t size, off_t off)
{
	static uint8_t *shared; /* free whenever no strand sleeps with it */
	static bool shared_busy;
	uint8_t *buf, *own = NULL;
	ssize_t n;

	size = MIN(size, BOUNCE_SIZE);
	if (!shared)
		shared = malloc(BOUNCE_SIZE);
	if (shared && !shared_busy) {
		buf = shared;
		shared_busy = true;
	} else {
		buf = own = malloc(size);
		if (!buf)
			return -ENOMEM;
	}
	n = pread_some(fd, buf, size, off);
	if (n > 0)
		n = usercopy_backend->write(u->task, NULL, addr, buf, (size_t)n);
	if (own)
		free(own);
	else
		shared_busy = false;
	return n;
}

ssize_t uio_pread_host(struct uio *u, int fd, size_t size, off_t off)
{
	size_t done = 0;

	size = MIN(size, u->resid);
	while (done < size) {
		uint64_t addr = 0;
		size_t n = MIN(piece(u, &addr), size - done);
		off_t at = off < 0 ? -1 : off + (off_t)done;
		ssize_t got;
		uint8_t *w;

		if (!n)
			break;
		if (!u->task) {
			got = pread_some(fd, (void *)(uintptr_t)addr, n, at);
		} else if (!user_range_ok(addr, n)) {
			got = -EFAULT;
		} else if (n <= WINDOW_COPY_MAX && (w = window_reserve_out(u->task, addr, n))) {
			got = pread_some(fd, w, n, at);
			window_trim_out(u->task, n - (got > 0 ? (size_t)got : 0));
		} else {
			got = pread_mapped(u, fd, addr, n, at);
			if (got <= 0)
				got = pread_bounce(u, fd, addr, n, at);
		}
		if (got < 0)
			return done ? (ssize_t)done : got;
		uio_advance(u, (size_t)got);
		done += (size_t)got;
		if (!got)
			break;
	}
	return (ssize_t)done;
}

static ssize_t pwrite_some(int fd, const void *buf, size_t size, off_t off)
{
	ssize_t n = off < 0 ? write(fd, buf, size) : pwrite(fd, buf, size, off);

	return n < 0 ? -errno : n;
}

ssize_t uio_pwrite_host(struct uio *u, int fd, size_t size, off_t off)
{
	static uint8_t *bounce; /* never kept over a sleep: writes are buffered by the host */
	size_t done = 0;

	size = MIN(size, u->resid);
	while (done < size) {
		uint64_t addr = 0;
		size_t n = MIN(piece(u, &addr), size - done), have;
		off_t at = off < 0 ? -1 : off + (off_t)done;
		const uint8_t *w;
		ssize_t got;

		if (!n)
			break;
		if (!u->task) {
			got = pwrite_some(fd, (void *)(uintptr_t)addr, n, at);
		} else if ((w = window_find_in(u->task, addr, &have))) {
			got = pwrite_some(fd, w, MIN(n, have), at);
		} else if (!user_range_ok(addr, n)) {
			got = -EFAULT;
		} else {
			if (!bounce && !(bounce = malloc(BOUNCE_SIZE)))
				return done ? (ssize_t)done : -ENOMEM;
			got = usercopy_backend->read(u->task, NULL, bounce, addr, MIN(n, BOUNCE_SIZE));
			if (got > 0)
				got = pwrite_some(fd, bounce, (size_t)got, at);
		}
		if (got < 0)
			return done ? (ssize_t)done : got;
		uio_advance(u, (size_t)got);
		done += (size_t)got;
		if (!got)
			break;
	}
	return (ssize_t)done;
}
