/* Message rings; see ring.h. A direction is a byte ring with free-running 32-bit indices. A message is
 * a 4-byte length and the bytes, padded to 8; it may wrap. */
#include "common/chan/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "common/base/util.h"

struct ring_dir {
	_Alignas(64) _Atomic uint32_t tail;     /* producer writes; the futex word of the consumer */
	_Atomic uint32_t news;                  /* producer writes */
	_Alignas(64) _Atomic uint32_t head;     /* consumer writes */
	_Atomic uint32_t consumer_sleeps;       /* consumer writes */
};

struct ring_shm {
	struct ring_dir dir[2];
	_Alignas(4096) uint8_t data[2][RING_DIR_SIZE];
};

int ring_create_fd(void)
{
	int fd = memfd_create("sbx-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, sizeof(struct ring_shm)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

int ring_open(struct ring *r, int fd, int side)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0)
		return -errno;
	/* Without the seal a peer could shrink the file and make our access fault. */
	if (st.st_size != sizeof(struct ring_shm) || !(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK))
		return -EINVAL;
	p = mmap(NULL, sizeof(struct ring_shm), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*r = (struct ring){.shm = p, .side = side};
	r->tail = atomic_load(&r->shm->dir[side].tail);
	r->head = atomic_load(&r->shm->dir[!side].head);
	return 0;
}

void ring_close(struct ring *r)
{
	if (r->shm)
		munmap(r->shm, sizeof(*r->shm));
	r->shm = NULL;
}

static void copy_in(uint8_t *data, uint32_t at, const void *src, size_t size)
{
	uint32_t off = at & (RING_DIR_SIZE - 1);
	size_t first = MIN(size, (size_t)(RING_DIR_SIZE - off));

	memcpy(data + off, src, first);
	memcpy(data, (const uint8_t *)src + first, size - first);
}

static void copy_out(void *dst, const uint8_t *data, uint32_t at, size_t size)
{
	uint32_t off = at & (RING_DIR_SIZE - 1);
	size_t first = MIN(size, (size_t)(RING_DIR_SIZE - off));

	memcpy(dst, data + off, first);
	memcpy((uint8_t *)dst + first, data, size - first);
}

int ring_send_quiet(struct ring *r, const void *msg, size_t size)
{
	struct ring_dir *d = &r->shm->dir[r->side];
	uint8_t *data = r->shm->data[r->side];
	uint32_t used, need, length = (uint32_t)size;

	if (r->broken)
		return -EPROTO;
	if (size > RING_MSG_MAX)
		return -EMSGSIZE;
	used = r->tail - atomic_load_explicit(&d->head, memory_order_acquire);
	if (used > RING_DIR_SIZE) {
		r->broken = true;
		return -EPROTO;
	}
	need = (uint32_t)ALIGN_UP(size + sizeof(length), 8ul);
	if (need > RING_DIR_SIZE - used)
		return -EAGAIN;
	copy_in(data, r->tail, &length, sizeof(length));
	copy_in(data, r->tail + sizeof(length), msg, size);
	r->tail += need;
	atomic_store(&d->tail, r->tail);
	return 0;
}

void ring_wake(struct ring *r)
{
	struct ring_dir *d = &r->shm->dir[r->side];

	if (atomic_load(&d->consumer_sleeps))
		syscall(SYS_futex, &d->tail, FUTEX_WAKE, 1, NULL, NULL, 0);
}

int ring_send(struct ring *r, const void *msg, size_t size)
{
	int ret = ring_send_quiet(r, msg, size);

	if (!ret)
		ring_wake(r);
	return ret;
}

void ring_raise_news(struct ring *r)
{
	atomic_fetch_add(&r->shm->dir[r->side].news, 1);
}

uint32_t ring_news(const struct ring *r)
{
	return atomic_load_explicit(&r->shm->dir[!r->side].news, memory_order_relaxed);
}

bool ring_readable(const struct ring *r)
{
	return atomic_load_explicit(&r->shm->dir[!r->side].tail, memory_order_acquire) != r->head;
}

bool ring_was_taken(const struct ring *r, uint32_t mark)
{
	uint32_t head = atomic_load_explicit(&r->shm->dir[r->side].head, memory_order_acquire);

	return r->tail - head <= r->tail - mark;
}

ssize_t ring_recv(struct ring *r, void *buf, size_t size)
{
	struct ring_dir *d = &r->shm->dir[!r->side];
	const uint8_t *data = r->shm->data[!r->side];
	uint32_t avail, length;

	if (r->broken)
		return -EPROTO;
	avail = atomic_load_explicit(&d->tail, memory_order_acquire) - r->head;
	if (!avail)
		return -EAGAIN;
	if (avail > RING_DIR_SIZE || avail < 8)
		goto broken;
	copy_out(&length, data, r->head, sizeof(length));
	if (length > RING_MSG_MAX || ALIGN_UP(length + sizeof(length), 8ul) > avail)
		goto broken;
	if (length > size)
		return -EMSGSIZE;
	copy_out(buf, data, r->head + sizeof(length), length);
	r->head += (uint32_t)ALIGN_UP(length + sizeof(length), 8ul);
	atomic_store_explicit(&d->head, r->head, memory_order_release);
	return (ssize_t)length;
broken:
	r->broken = true;
	return -EPROTO;
}

bool ring_prepare_sleep(struct ring *r, uint32_t **ret_word, uint32_t *ret_val)
{
	struct ring_dir *d = &r->shm->dir[!r->side];

	atomic_store(&d->consumer_sleeps, 1);
	if (atomic_load(&d->tail) != r->head) {
		atomic_store_explicit(&d->consumer_sleeps, 0, memory_order_relaxed);
		return false;
	}
	*ret_word = (uint32_t *)&d->tail;
	*ret_val = r->head;
	return true;
}

void ring_finish_sleep(struct ring *r)
{
	atomic_store_explicit(&r->shm->dir[!r->side].consumer_sleeps, 0, memory_order_relaxed);
}

static int64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

int ring_wait(struct ring *r, unsigned spin_us, int64_t timeout_ns)
{
	int64_t start = mono_ns();
	struct timespec ts, *tsp = NULL;
	uint32_t *word, val;
	int ret = 0;

	if (r->broken)
		return -EPROTO;
	for (unsigned i = 0; spin_us; i++) {
		if (ring_readable(r))
			return 0;
		if (!(i & 63) && mono_ns() - start > (int64_t)spin_us * 1000)
			break;
		_mm_pause();
	}
	if (timeout_ns >= 0) {
		int64_t left = MAX(timeout_ns - (mono_ns() - start), (int64_t)0);

		ts = (struct timespec){left / 1000000000, left % 1000000000};
		tsp = &ts;
	}
	if (!ring_prepare_sleep(r, &word, &val))
		return 0;
	if (syscall(SYS_futex, word, FUTEX_WAIT, val, tsp, NULL, 0) < 0 && errno != EAGAIN)
		ret = -errno;
	ring_finish_sleep(r);
	return ring_readable(r) ? 0 : ret;
}
