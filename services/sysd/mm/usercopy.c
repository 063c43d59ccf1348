/* Guest memory from a handler; see usercopy.h. */
#include "services/sysd/mm/usercopy.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "common/base/util.h"
#include "services/sysd/mm/memd_client.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy_backend.h"
#include "services/sysd/mm/window.h"
#include "services/sysd/task/task.h"

#define USER_TOP 0x7ffffffff000ull

static ssize_t host_vm(struct task *t, struct mm *mm, void *buf, uint64_t uaddr, size_t size, bool write)
{
	struct iovec local = {buf, size}, remote = {(void *)(uintptr_t)uaddr, size};
	struct hprocess *hp;
	ssize_t n = -1;

	if (!mm)
		mm = t->mm;
	if (!mm || !mm->hp || mm->hp->dead)
		return -EFAULT;
	hp = hprocess_ref(mm->hp);
	if (unlikely(!hp->id) && memd_wait_started(hp))
		; /* a fork that came to nothing */
	else if (write)
		n = process_vm_writev(hp->host_pid, &local, 1, &remote, 1, 0);
	else
		n = process_vm_readv(hp->host_pid, &local, 1, &remote, 1, 0);
	hprocess_unref(hp);
	return n > 0 ? n : -EFAULT;
}

static ssize_t host_read(struct task *t, struct mm *mm, void *dst, uint64_t uaddr, size_t size)
{
	return host_vm(t, mm, dst, uaddr, size, false);
}

static ssize_t host_write(struct task *t, struct mm *mm, uint64_t uaddr, const void *src, size_t size)
{
	return host_vm(t, mm, (void *)(uintptr_t)src, uaddr, size, true);
}

static const struct usercopy_backend host_backend = {.read = host_read, .write = host_write};
const struct usercopy_backend *usercopy_backend = &host_backend;

static bool range_ok(uint64_t uaddr, size_t size)
{
	return uaddr < USER_TOP && size <= USER_TOP - uaddr;
}

const uint8_t *window_find_in(struct task *t, uint64_t uaddr, size_t *ret_size)
{
	struct hthread *ht = t->ht;

	if (!ht)
		return NULL;
	for (uint32_t i = 0; i < ht->in_count; i++) {
		const struct sbx_seg *s = &ht->in[i];

		if (uaddr >= s->uaddr && uaddr - s->uaddr < s->size) {
			*ret_size = s->size - (size_t)(uaddr - s->uaddr);
			return hthread_window(ht) + s->off + (uaddr - s->uaddr);
		}
	}
	return NULL;
}

uint8_t *window_reserve_out(struct task *t, uint64_t uaddr, size_t size)
{
	struct hthread *ht = t->ht;
	struct sbx_seg *s;

	if (!ht)
		return NULL;
	s = ht->out_count ? &ht->out[ht->out_count - 1] : NULL;
	if (s && s->uaddr + s->size == uaddr && size <= SBX_SLOT_WINDOW - s->off - s->size) {
		uint8_t *p = hthread_window(ht) + s->off + s->size;

		s->size += (uint32_t)size;
		ht->out_off = MIN(ALIGN_UP(s->off + s->size, 16u), (uint32_t)SBX_SLOT_WINDOW);
		return p;
	}
	if (ht->out_count == SBX_SEGS_MAX || size > SBX_SLOT_WINDOW - ht->out_off)
		return NULL;
	s = &ht->out[ht->out_count++];
	s->uaddr = uaddr;
	s->size = (uint32_t)size;
	s->off = ht->out_off;
	ht->out_off += ALIGN_UP((uint32_t)size, 16u);
	if (ht->out_off > SBX_SLOT_WINDOW)
		ht->out_off = SBX_SLOT_WINDOW;
	return hthread_window(ht) + s->off;
}

void window_trim_out(struct task *t, size_t unused)
{
	struct hthread *ht = t->ht;
	struct sbx_seg *s = &ht->out[ht->out_count - 1];

	s->size -= (uint32_t)unused;
	ht->out_off = MIN(ALIGN_UP(s->off + s->size, 16u), (uint32_t)SBX_SLOT_WINDOW);
	if (!s->size)
		ht->out_count--;
}

/* What this call already wrote and the reply still carries: a read must see it. */
static bool window_overlaps_out(struct task *t, uint64_t uaddr, size_t size)
{
	struct hthread *ht = t->ht;

	if (!ht)
		return false;
	for (uint32_t i = 0; i < ht->out_count; i++) {
		const struct sbx_seg *s = &ht->out[i];

		if (uaddr < s->uaddr + s->size && s->uaddr < uaddr + size)
			return true;
	}
	return false;
}

static int window_flush_out(struct task *t)
{
	struct hthread *ht = t->ht;

	for (uint32_t i = 0; i < ht->out_count; i++) {
		const struct sbx_seg *s = &ht->out[i];

		if (usercopy_backend->write(t, NULL, s->uaddr, hthread_window(ht) + s->off, s->size) !=
		    (ssize_t)s->size)
			return -EFAULT;
	}
	ht->out_count = 0;
	return 0;
}

int user_read(struct task *t, void *dst, uint64_t uaddr, size_t size)
{
	const uint8_t *p;
	size_t have;

	if (!size)
		return 0;
	if (!range_ok(uaddr, size))
		return -EFAULT;
	if (unlikely(window_overlaps_out(t, uaddr, size))) {
		if (window_flush_out(t) < 0)
			return -EFAULT;
	} else {
		p = window_find_in(t, uaddr, &have);
		if (p && have >= size) {
			memcpy(dst, p, size);
			return 0;
		}
	}
	return usercopy_backend->read(t, NULL, dst, uaddr, size) == (ssize_t)size ? 0 : -EFAULT;
}

int user_write_now(struct task *t, uint64_t uaddr, const void *src, size_t size)
{
	if (!size)
		return 0;
	if (!range_ok(uaddr, size))
		return -EFAULT;
	return usercopy_backend->write(t, NULL, uaddr, src, size) == (ssize_t)size ? 0 : -EFAULT;
}

int user_write(struct task *t, uint64_t uaddr, const void *src, size_t size)
{
	uint8_t *p;

	if (!size)
		return 0;
	if (!range_ok(uaddr, size))
		return -EFAULT;
	if (uaddr < SBX_PAGE_SIZE) /* the usual bad pointer, found before the call commits */
		return -EFAULT;
	p = size <= SBX_SLOT_WINDOW / 2 ? window_reserve_out(t, uaddr, size) : NULL;
	if (!p)
		return user_write_now(t, uaddr, src, size);
	memcpy(p, src, size);
	return 0;
}

int user_clear(struct task *t, uint64_t uaddr, size_t size)
{
	static const uint8_t zeros[4096];

	while (size) {
		size_t n = MIN(size, sizeof(zeros));
		int ret = user_write(t, uaddr, zeros, n);

		if (ret < 0)
			return ret;
		uaddr += n;
		size -= n;
	}
	return 0;
}

ssize_t user_read_str(struct task *t, char *dst, uint64_t uaddr, size_t size)
{
	struct hthread *ht = t->ht;
	size_t done = 0;

	/* The runtime's copy ends with the NUL it found; the string in shared memory may change under
	 * us, so the copy is searched, never the window. */
	for (uint32_t i = 0; ht && i < ht->in_count; i++) {
		const struct sbx_seg *s = &ht->in[i];
		size_t n;
		char *end;

		if (s->uaddr != uaddr || !s->size)
			continue;
		n = MIN((size_t)s->size, size);
		memcpy(dst, hthread_window(ht) + s->off, n);
		end = memchr(dst, 0, n);
		if (end)
			return end - dst;
		break;
	}
	while (done < size) {
		/* Up to the end of the page: the next one may not be there. */
		size_t n = MIN(size - done, SBX_PAGE_SIZE - ((uaddr + done) & (SBX_PAGE_SIZE - 1)));
		ssize_t got;
		char *end;

		if (!range_ok(uaddr + done, n))
			return -EFAULT;
		got = usercopy_backend->read(t, NULL, dst + done, uaddr + done, n);
		if (got < 0)
			return -EFAULT;
		end = memchr(dst + done, 0, (size_t)got);
		if (end)
			return end - dst;
		if ((size_t)got < n)
			return -EFAULT;
		done += n;
	}
	return -ENAMETOOLONG;
}

int user_read_path(struct task *t, uint64_t uaddr, char **ret_path)
{
	char buf[PATH_MAX];
	ssize_t n = user_read_str(t, buf, uaddr, sizeof(buf));
	char *path;

	if (n < 0)
		return (int)n;
	path = malloc((size_t)n + 1);
	if (!path)
		return -ENOMEM;
	memcpy(path, buf, (size_t)n + 1);
	*ret_path = path;
	return 0;
}

ssize_t mm_read(struct mm *mm, void *dst, uint64_t uaddr, size_t size)
{
	if (!size)
		return 0;
	if (!range_ok(uaddr, size))
		return -EFAULT;
	return usercopy_backend->read(NULL, mm, dst, uaddr, size);
}

ssize_t mm_write(struct mm *mm, uint64_t uaddr, const void *src, size_t size)
{
	if (!size)
		return 0;
	if (!range_ok(uaddr, size))
		return -EFAULT;
	return usercopy_backend->write(NULL, mm, uaddr, src, size);
}
