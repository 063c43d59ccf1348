/* File content in memory; see backing.h. A backing is in one of three states: small (a heap buffer),
 * chunks, or a host memfd, and only ever moves to the right. */
#include "services/sysd/fs/memfd/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/fs/memfd/chunks.h"
#include "services/sysd/mm/mmap_req.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/vfs/file.h"

#define SMALL_MAX (32 * 1024u)
#define SMALL_FIRST 256u

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#define SEALS_ALL (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)
#define SEALS_WRITE (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

void backing_init(struct backing *b)
{
	*b = (struct backing){.fd = -1};
}

void backing_done(struct backing *b)
{
	if (b->object_id)
		mmap_object_forget(b->object_id);
	free(b->small);
	chunks_free(b);
	close_fd(&b->fd);
	backing_init(b);
}

static int small_reserve(struct backing *b, uint32_t size)
{
	uint32_t capacity = MAX(b->small_capacity, SMALL_FIRST);
	uint8_t *p;

	if (size <= b->small_capacity)
		return 0;
	while (capacity < size)
		capacity *= 2;
	p = realloc(b->small, capacity);
	if (!p)
		return -ENOMEM;
	memset(p + b->small_capacity, 0, capacity - b->small_capacity);
	b->small = p;
	b->small_capacity = capacity;
	return 0;
}

/* From small to chunks. */
static int small_leave(struct backing *b)
{
	struct backing_chunk *c;

	if (!b->small)
		return 0;
	if (b->size) {
		uint32_t size = (uint32_t)MIN(b->size, (uint64_t)b->small_capacity);

		c = chunk_get(b, 0, false);
		if (!c)
			return -ENOMEM;
		memcpy(c->mem, b->small, size);
		chunk_mark(c, 0, size);
	}
	free(STEAL_PTR(b->small));
	b->small_capacity = 0;
	return 0;
}

static bool is_small(const struct backing *b)
{
	return b->fd < 0 && !b->chunk_count;
}

ssize_t backing_read(struct backing *b, struct uio *u, uint64_t off)
{
	uint64_t left;
	size_t done = 0;

	if (off >= b->size)
		return 0;
	left = MIN(b->size - off, (uint64_t)u->resid);
	if (b->fd >= 0)
		return uio_pread_host(u, b->fd, left, (off_t)off);
	while (left) {
		size_t n;
		ssize_t got;

		if (is_small(b)) {
			n = off < b->small_capacity ? MIN(left, b->small_capacity - off) : left;
			got = off < b->small_capacity ? uio_copy_to(u, b->small + off, n) : uio_zero(u, n);
		} else {
			struct backing_chunk *c = chunk_find(b, off);

			n = MIN(left, CHUNK_SIZE - off % CHUNK_SIZE);
			got = c ? uio_copy_to(u, c->mem + off % CHUNK_SIZE, n) : uio_zero(u, n);
		}
		if (got <= 0)
			return done ? (ssize_t)done : got;
		done += (size_t)got;
		off += (size_t)got;
		left -= (size_t)got;
		if ((size_t)got < n)
			break;
	}
	return (ssize_t)done;
}

static ssize_t write_host(struct backing *b, struct uio *u, uint64_t off)
{
	ssize_t n = uio_pwrite_host(u, b->fd, u->resid, (off_t)off);

	if (n > 0 && off + (uint64_t)n > b->size)
		b->size = off + (uint64_t)n;
	return n;
}

static ssize_t write_small(struct backing *b, struct uio *u, uint64_t off)
{
	size_t size = u->resid;
	int ret = small_reserve(b, (uint32_t)(off + size));
	ssize_t n;

	if (ret < 0)
		return ret;
	n = uio_copy_from(u, b->small + off, size);
	if (n > 0 && off + (uint64_t)n > b->size)
		b->size = off + (uint64_t)n;
	if (n < (ssize_t)size && off + size > b->size) { /* a fault in the middle left something */
		uint64_t from = MAX(b->size, off + (uint64_t)MAX(n, 0));

		memset(b->small + from, 0, off + size - from);
	}
	return n;
}

/* A large page may cost the host a search for free memory, while everybody waits: when one was slow, do
 * without for some time. */
#define LARGE_SLOW_NS 8000000ull
#define LARGE_PAUSE_NS 20000000000ull
static uint64_t large_pause_until;

static ssize_t copy_to_new_large(struct uio *u, uint8_t *dst, size_t size)
{
	/* CPU time: being kept from the CPU says nothing about memory. */
	uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	ssize_t n = uio_copy_from(u, dst, size);

	if (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start > LARGE_SLOW_NS)
		large_pause_until = clock_mono_ns() + LARGE_PAUSE_NS;
	return n;
}

ssize_t backing_write(struct backing *b, struct uio *u, uint64_t off)
{
	size_t done = 0;
	bool large;
	int ret;

	if (!u->resid)
		return 0;
	if (off > INT64_MAX || u->resid > INT64_MAX - off)
		return -EFBIG;
	if (b->fd >= 0)
		return write_host(b, u, off);
	if (is_small(b) && off + u->resid <= SMALL_MAX)
		return write_small(b, u, off);
	ret = small_leave(b);
	if (ret < 0)
		return ret;
	large = off == b->size && off >= CHUNK_SIZE && u->resid >= 65536 && clock_mono_ns() >= large_pause_until;
	while (u->resid) {
		uint32_t at = (uint32_t)(off % CHUNK_SIZE);
		size_t n = MIN(u->resid, CHUNK_SIZE - at);
		struct backing_chunk *c = chunk_get(b, off, large);
		ssize_t got;

		if (!c)
			return done ? (ssize_t)done : -ENOSPC;
		got = large && !at ? copy_to_new_large(u, c->mem, n) : uio_copy_from(u, c->mem + at, n);
		if (got <= 0)
			return done ? (ssize_t)done : got;
		chunk_mark(c, at, (uint32_t)got);
		done += (size_t)got;
		off += (size_t)got;
		b->size = MAX(b->size, off);
		if ((size_t)got < n)
			break;
	}
	return (ssize_t)done;
}

int backing_truncate(struct backing *b, uint64_t size)
{
	if (size > INT64_MAX)
		return -EFBIG;
	if (b->fd >= 0) {
		if (ftruncate(b->fd, (off_t)size) < 0)
			return -errno;
	} else if (size < b->size) {
		if (is_small(b)) {
			if (size < b->small_capacity)
				memset(b->small + size, 0, MIN(b->size, (uint64_t)b->small_capacity) - size);
			if (!size) {
				free(STEAL_PTR(b->small));
				b->small_capacity = 0;
			}
		} else {
			chunks_punch(b, size, UINT64_MAX - size);
		}
	}
	b->size = size;
	return 0;
}

static void punch(struct backing *b, uint64_t off, uint64_t size)
{
	uint64_t end = off + size;

	if (!is_small(b)) {
		chunks_punch(b, off, size);
	} else if (off < b->small_capacity) {
		end = MIN(end, (uint64_t)b->small_capacity);
		memset(b->small + off, 0, end - off);
	}
}

int backing_fallocate(struct backing *b, int mode, uint64_t off, uint64_t size)
{
	bool keep = mode & FALLOC_FL_KEEP_SIZE;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE) && (!keep || (mode & FALLOC_FL_ZERO_RANGE)))
		return -EOPNOTSUPP;
	if (!size || off > INT64_MAX || size > INT64_MAX)
		return -EINVAL;
	if (size > INT64_MAX - off)
		return -EFBIG;
	if (b->fd >= 0) {
		int host = mode;

		if (mode & FALLOC_FL_ZERO_RANGE) { /* shmem has no zero range: a hole reads the same */
			if (fallocate(b->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off,
				      (off_t)size) < 0)
				return -errno;
			host = keep ? FALLOC_FL_KEEP_SIZE : 0;
		}
		if (fallocate(b->fd, host, (off_t)off, (off_t)size) < 0)
			return -errno;
		if (!keep && off + size > b->size)
			b->size = off + size;
		return 0;
	}
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		punch(b, off, size);
	/* Space is not set aside: memory is the sandbox's limit, not the file's. */
	if (!(mode & FALLOC_FL_PUNCH_HOLE) && !keep && off + size > b->size)
		b->size = off + size;
	return 0;
}

/* In a small file a page of zeros is as good as a hole. */
static uint64_t small_seek(const struct backing *b, uint64_t off, bool data)
{
	while (off < b->small_capacity) {
		uint64_t start = ALIGN_DOWN(off, 4096ul), end = MIN(start + 4096, (uint64_t)b->small_capacity);
		bool zero = !b->small[start] && !memcmp(b->small + start, b->small + start + 1, end - start - 1);

		if (zero != data)
			return off;
		off = start + 4096;
	}
	return data ? UINT64_MAX : off;
}

int64_t backing_seek(struct backing *b, uint64_t off, int whence)
{
	uint64_t at;

	if (off >= b->size)
		return -ENXIO;
	if (b->fd >= 0) {
		off_t r = lseek(b->fd, (off_t)off, whence);

		return r < 0 ? -errno : r;
	}
	if (is_small(b))
		at = small_seek(b, off, whence == SEEK_DATA);
	else
		at = chunks_seek(b, off, whence == SEEK_DATA);
	if (whence == SEEK_DATA)
		return at >= b->size ? -ENXIO : (int64_t)at;
	return (int64_t)MIN(at, b->size);
}

uint64_t backing_allocated(struct backing *b)
{
	struct stat st;

	if (b->fd >= 0)
		return fstat(b->fd, &st) < 0 ? 0 : (uint64_t)st.st_blocks * 512;
	if (is_small(b))
		return ALIGN_UP(MIN((uint64_t)b->small_capacity, b->size), 4096ul);
	return chunks_allocated(b);
}

static int write_all(int fd, const uint8_t *data, size_t size, uint64_t off)
{
	while (size) {
		ssize_t n = pwrite(fd, data, size, (off_t)off);

		if (n < 0)
			return -errno;
		data += n;
		off += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static int copy_out(struct backing *b, int fd)
{
	uint64_t at = 0, end;
	int ret = 0;

	if (is_small(b))
		return write_all(fd, b->small, MIN(b->size, (uint64_t)b->small_capacity), 0);
	while (!ret && (at = chunks_seek(b, at, true)) < b->size) {
		struct backing_chunk *c = chunk_find(b, at);

		end = MIN(MIN(chunks_seek(b, at, false), b->size), (c->index + 1) * CHUNK_SIZE);
		ret = write_all(fd, c->mem + at % CHUNK_SIZE, end - at, at);
		at = end;
	}
	return ret;
}

int backing_host_fd(struct backing *b)
{
	CLEANUP_CLOSE int fd = -1;
	int ret;

	if (b->fd >= 0)
		return b->fd;
	/* Always sealable: a guest's seal has to hold for its mappings too. */
	fd = memfd_create("sbx-file", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return errno == EMFILE ? -ENFILE : -errno;
	if (ftruncate(fd, (off_t)b->size) < 0)
		return -errno;
	ret = copy_out(b, fd);
	if (ret < 0)
		return ret;
	if ((b->seals & ~F_SEAL_SEAL) && fcntl(fd, F_ADD_SEALS, b->seals & ~(F_SEAL_SEAL | F_SEAL_EXEC)) < 0)
		return -errno;
	free(STEAL_PTR(b->small));
	b->small_capacity = 0;
	chunks_free(b);
	b->fd = STEAL_FD(fd);
	b->object_id = mmap_object_id_new();
	return b->fd;
}

int backing_mmap(struct backing *b, struct mmap_req *req)
{
	bool shared_write = (req->flags & MAP_SHARED) && (req->prot & PROT_WRITE);
	int fd;

	if (shared_write && (b->seals & SEALS_WRITE))
		return -EPERM;
	fd = backing_host_fd(b);
	if (fd < 0)
		return fd;
	req->host_fd = fd;
	req->anonymous = false;
	req->object_id = b->object_id;
	req->host_writable = !(b->seals & SEALS_WRITE);
	return 0;
}

int backing_add_seals(struct backing *b, uint32_t seals)
{
	if (seals & ~(uint32_t)SEALS_ALL)
		return -EINVAL;
	if (!b->sealable || (b->seals & F_SEAL_SEAL))
		return -EPERM;
	if (b->fd >= 0 && (seals & ~(F_SEAL_SEAL | F_SEAL_EXEC)) &&
	    fcntl(b->fd, F_ADD_SEALS, seals & ~(uint32_t)(F_SEAL_SEAL | F_SEAL_EXEC)) < 0)
		return -errno; /* EBUSY: the host knows the mappings */
	b->seals |= seals;
	return 0;
}

int backing_check_write(const struct backing *b, uint64_t off, uint64_t size)
{
	if (b->seals & SEALS_WRITE)
		return -EPERM;
	if ((b->seals & F_SEAL_GROW) && off + size > b->size)
		return -EPERM;
	return 0;
}

int backing_check_truncate(const struct backing *b, uint64_t size)
{
	if ((b->seals & F_SEAL_SHRINK) && size < b->size)
		return -EPERM;
	if ((b->seals & F_SEAL_GROW) && size > b->size)
		return -EPERM;
	return 0;
}

int backing_check_fallocate(const struct backing *b, int mode, uint64_t off, uint64_t size)
{
	if ((mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) && (b->seals & SEALS_WRITE))
		return -EPERM;
	if ((b->seals & F_SEAL_GROW) && !(mode & FALLOC_FL_KEEP_SIZE) && off + size > b->size)
		return -EPERM;
	return 0;
}

#define KINDS_MAX 8
static struct {
	const struct file_ops *fops;
	struct backing *(*get)(struct file *f);
} kinds[KINDS_MAX];

void backing_register(const struct file_ops *fops, struct backing *(*get)(struct file *f))
{
	for (int i = 0; i < KINDS_MAX; i++) {
		if (!kinds[i].fops || kinds[i].fops == fops) {
			kinds[i].fops = fops;
			kinds[i].get = get;
			return;
		}
	}
}

struct backing *backing_of_file(struct file *f)
{
	for (int i = 0; i < KINDS_MAX && kinds[i].fops; i++)
		if (kinds[i].fops == f->op)
			return kinds[i].get(f);
	return NULL;
}
