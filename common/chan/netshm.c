/* Event rings and datagram records; see netshm.h. */
#include "common/chan/netshm.h"

#include <errno.h>
#include <string.h>

#include "common/base/util.h"

bool net_event_put(struct net_event_end *e, uint32_t *pending, uint32_t index)
{
	uint32_t head;

	if (__atomic_exchange_n(pending, 1, __ATOMIC_SEQ_CST))
		return true;
	head = __atomic_load_n(&e->ring->head, __ATOMIC_ACQUIRE);
	if (e->pos - head >= NET_SOCKS_MAX)
		return false;
	__atomic_store_n(&e->ring->slot[e->pos % NET_SOCKS_MAX], index, __ATOMIC_RELAXED);
	__atomic_store_n(&e->ring->tail, ++e->pos, __ATOMIC_SEQ_CST);
	return true;
}

bool net_event_any(const struct net_event_end *e)
{
	return __atomic_load_n(&e->ring->tail, __ATOMIC_SEQ_CST) != e->pos;
}

int64_t net_event_get(struct net_event_end *e)
{
	uint32_t index;

	if (__atomic_load_n(&e->ring->tail, __ATOMIC_ACQUIRE) == e->pos)
		return -EAGAIN;
	index = __atomic_load_n(&e->ring->slot[e->pos % NET_SOCKS_MAX], __ATOMIC_RELAXED);
	__atomic_store_n(&e->ring->head, ++e->pos, __ATOMIC_RELEASE);
	return index;
}

/* Scatters `size` bytes over reserved pieces at offset `at`. */
static void scatter(const struct iovec iov[2], size_t at, const void *src, size_t size)
{
	for (unsigned i = 0; i < 2 && size; i++) {
		size_t n;

		if (at >= iov[i].iov_len) {
			at -= iov[i].iov_len;
			continue;
		}
		n = MIN(size, iov[i].iov_len - at);
		memcpy((uint8_t *)iov[i].iov_base + at, src, n);
		src = (const uint8_t *)src + n;
		size -= n;
		at = 0;
	}
}

bool net_dgram_put(struct bytering *r, const struct net_dgram *d, const struct iovec *iov, unsigned count)
{
	size_t need = net_dgram_room(d->size), at = sizeof(*d);
	struct iovec to[2] = {{0}};

	if (d->size > NET_DGRAM_MAX || bytering_reserve(r, need, to) < need)
		return false;
	scatter(to, 0, d, sizeof(*d));
	for (unsigned i = 0; i < count; i++) {
		scatter(to, at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	bytering_put(r, need);
	return true;
}

int net_dgram_look(struct bytering *r, uint64_t pos, struct net_dgram *ret, struct iovec iov[2])
{
	uint64_t avail = bytering_avail(r), left;
	uint8_t *dst = (uint8_t *)ret;
	size_t done = 0;

	if (r->broken || pos < r->head)
		return -EPROTO;
	left = r->head + avail > pos ? r->head + avail - pos : 0;
	if (!left)
		return -EAGAIN;
	if (left < sizeof(*ret))
		goto broken;
	while (done < sizeof(*ret)) {
		struct iovec piece[2] = {{0}};
		size_t n = bytering_peek(r, pos + done, sizeof(*ret) - done, piece);

		if (!n)
			goto broken;
		memcpy(dst + done, piece[0].iov_base, piece[0].iov_len);
		if (n > piece[0].iov_len)
			memcpy(dst + done + piece[0].iov_len, piece[1].iov_base, n - piece[0].iov_len);
		done += n;
	}
	if (ret->size > NET_DGRAM_MAX || net_dgram_room(ret->size) > left)
		goto broken;
	iov[0] = iov[1] = (struct iovec){NULL, 0};
	if (ret->size && bytering_peek(r, pos + sizeof(*ret), ret->size, iov) < ret->size)
		goto broken; /* a record never lies around a change of the region */
	return 0;
broken:
	r->broken = true;
	return -EPROTO;
}
