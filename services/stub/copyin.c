/* Small arguments travel in the slot's window. What cannot be read here simply does not travel: sysd
 * then reads guest memory itself and finds the EFAULT, if there is one. */
#include "services/stub/stub.h"

#define CSTR_MAX 4096u
/* Below this a bigger room is not worth a page of the window. */
#define SEG_ALIGN 16u

/* More than this of one argument is sysd's to fetch. */
#define ARRAY_COUNT_MAX 1024u
#define FDSET_MAX 4096
#define NAME_MAX_ 128
#define CONTROL_MAX 4096u

struct iov {
	uint64_t base, size;
};
struct msghdr { /* sendmsg(2) */
	uint64_t name;
	int32_t name_size, pad0;
	uint64_t iov, iov_count, control, control_size;
	uint32_t flags, pad1;
};

/* A segment of size bytes; NULL when there is no room. */
static uint8_t *seg_new(struct sbx_thread *t, uint64_t uaddr, uint64_t size)
{
	struct sbx_slot *slot = t->slot;
	uint32_t n = t->in_count, off = t->in_off;

	if (n >= SBX_SEGS_MAX || !size || size > SBX_SLOT_WINDOW - off)
		return NULL;
	slot->in[n] = (struct sbx_seg){uaddr, (uint32_t)size, off};
	return rt_window(t) + off;
}

static void seg_commit(struct sbx_thread *t, uint64_t size)
{
	t->slot->in[t->in_count++].size = (uint32_t)size;
	t->in_off = (uint32_t)((t->in_off + size + SEG_ALIGN - 1) & ~(uint64_t)(SEG_ALIGN - 1));
}

static const void *copy_bytes(struct sbx_thread *t, uint64_t uaddr, uint64_t size)
{
	uint8_t *dst = seg_new(t, uaddr, size);

	if (!dst || rt_copy(dst, (const void *)uaddr, size))
		return NULL;
	seg_commit(t, size);
	return dst;
}

static void copy_cstr(struct sbx_thread *t, uint64_t uaddr)
{
	uint64_t room = SBX_SLOT_WINDOW - t->in_off;
	uint64_t max = room < CSTR_MAX ? room : CSTR_MAX;
	uint8_t *dst;
	long size;

	if (!uaddr || max < 8)
		return;
	dst = seg_new(t, uaddr, max);
	if (!dst)
		return;
	size = rt_copy_str((char *)dst, (const char *)uaddr, max);
	if (size > 0)
		seg_commit(t, (uint64_t)size);
}

static void copy_iovec(struct sbx_thread *t, uint64_t uaddr, uint64_t count, bool contents)
{
	const struct iov *iov;

	if (count > 1024)
		return;
	iov = copy_bytes(t, uaddr, count * sizeof(*iov));
	if (!iov || !contents)
		return;
	for (uint64_t i = 0; i < count; i++) {
		if (iov[i].size && !copy_bytes(t, iov[i].base, iov[i].size))
			return;
	}
}

static void copy_fdset(struct sbx_thread *t, uint64_t uaddr, int32_t count)
{
	if (count > 0 && count <= FDSET_MAX)
		copy_bytes(t, uaddr, ((uint64_t)count + 63) / 64 * 8);
}

/* A msghdr and its vector; `contents`: what is to be sent as well. */
static void copy_msg(struct sbx_thread *t, uint64_t uaddr, bool contents)
{
	const struct msghdr *shared = copy_bytes(t, uaddr, sizeof(*shared));
	struct msghdr h;

	if (!shared)
		return;
	h = *shared;
	if (contents && h.name && h.name_size > 0 && h.name_size <= NAME_MAX_)
		copy_bytes(t, h.name, (uint64_t)h.name_size);
	if (contents && h.control && h.control_size <= CONTROL_MAX)
		copy_bytes(t, h.control, h.control_size);
	copy_iovec(t, h.iov, h.iov_count, contents);
}

void rt_copy_in(struct sbx_thread *t, uint64_t nr)
{
	const struct sbx_call_hint *hint = &t->ctl->hint[nr];
	const uint64_t *args = t->slot->args;

	for (unsigned i = 0; i < 6; i++) {
		unsigned kind = hint->arg[i].kind, len_arg = hint->arg[i].len_arg;

		if (likely(kind == SBX_HINT_NONE))
			continue;
		switch (kind) {
		case SBX_HINT_CSTR:
			copy_cstr(t, args[i]);
			break;
		case SBX_HINT_IN:
			if (args[i])
				copy_bytes(t, args[i], hint->arg[i].size);
			break;
		case SBX_HINT_IN_ARG:
			if (len_arg < 6 && args[i])
				copy_bytes(t, args[i], args[len_arg]);
			break;
		case SBX_HINT_IOVEC:
		case SBX_HINT_IOVEC_IN:
			if (len_arg < 6)
				copy_iovec(t, args[i], args[len_arg], kind == SBX_HINT_IOVEC_IN);
			break;
		case SBX_HINT_ARRAY:
			if (len_arg < 6 && args[i] && (uint32_t)args[len_arg] <= ARRAY_COUNT_MAX)
				copy_bytes(t, args[i], (uint64_t)(uint32_t)args[len_arg] * hint->arg[i].size);
			break;
		case SBX_HINT_FDSET:
			if (len_arg < 6 && args[i])
				copy_fdset(t, args[i], (int32_t)args[len_arg]);
			break;
		case SBX_HINT_MSG:
		case SBX_HINT_MSG_IN:
			copy_msg(t, args[i], kind == SBX_HINT_MSG_IN);
			break;
		}
	}
}

int rt_copy_out(struct sbx_thread *t)
{
	struct sbx_slot *slot = t->slot;
	uint32_t count = slot->out_count;
	int r = 0;

	for (uint32_t i = 0; i < count && i < SBX_SEGS_MAX; i++) {
		const struct sbx_seg *seg = &slot->out[i];

		if (rt_copy((void *)seg->uaddr, rt_window(t) + seg->off, seg->size))
			r = -EFAULT;
	}
	return r;
}
