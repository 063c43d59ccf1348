/* getdents(2): entries are packed into one buffer, which goes to the guest in one copy. */
#include "services/sysd/abi/dirent.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/internal.h"

#define PACK_MAX 65536u

struct pack {
	struct dir_context ctx;
	char *buf;
	size_t size, used;
	bool old, too_small;
};

static bool emit(struct dir_context *ctx, const char *name, size_t name_size, int64_t next_pos, uint64_t ino,
		 unsigned d_type)
{
	struct pack *p = CONTAINER_OF(ctx, struct pack, ctx);
	size_t head = p->old ? ABI_DIRENT_NAME : ABI_DIRENT64_NAME;
	/* the old form has the type in its last byte */
	size_t reclen = ALIGN_UP(head + name_size + 1 + (p->old ? 1 : 0), 8ul);
	char *at = p->buf + p->used;

	if (reclen > p->size - p->used) {
		p->too_small = !p->used;
		return false;
	}
	memset(at, 0, reclen);
	if (p->old) {
		struct abi_dirent d = {.ino = ino, .off = (uint64_t)next_pos, .reclen = (uint16_t)reclen};

		memcpy(at, &d, ABI_DIRENT_NAME);
		at[reclen - 1] = (char)d_type;
	} else {
		struct abi_dirent64 d = {.ino = ino, .off = next_pos, .reclen = (uint16_t)reclen,
					 .type = (uint8_t)d_type};

		memcpy(at, &d, ABI_DIRENT64_NAME);
	}
	memcpy(at + head, name, name_size);
	p->used += reclen;
	return true;
}

static long read_dir(struct task *t, struct file *f, uint64_t ubuf, struct pack *p)
{
	int64_t before = f->pos;
	long ret;

	if (!S_ISDIR(f->inode->mode) || !f->op->iterate)
		return -ENOTDIR;
	if (!f->inode->nlink)
		return -ENOENT;
	p->buf = malloc(p->size ? p->size : 1);
	if (!p->buf)
		return -ENOMEM;
	p->ctx.emit = emit;
	ret = f->op->iterate(f, &p->ctx);
	if (p->used) {
		ret = user_write(t, ubuf, p->buf, p->used) < 0 ? -EFAULT : (long)p->used;
		if (ret < 0)
			f->pos = before;
	} else if (!ret && p->too_small) {
		ret = -EINVAL;
	}
	if (ret >= 0) {
		if (!(f->flags & O_NOATIME))
			touch_atime(&f->path);
		fsnotify_file(f, IN_ACCESS);
	}
	free(p->buf);
	return ret;
}

static long do_getdents(struct task *t, const uint64_t a[6], bool old)
{
	struct file *f = fd_get(t, (int)a[0]);
	struct pack p = {.size = MIN((uint32_t)a[2], PACK_MAX), .old = old};
	long ret;

	if (!f)
		return -EBADF;
	if (!f->readable) {
		ret = -EBADF;
	} else {
		kmutex_lock(&f->pos_lock);
		ret = read_dir(t, f, a[1], &p);
		kmutex_unlock(&f->pos_lock);
	}
	file_unref(f);
	return ret;
}

SYS_HANDLER(getdents)
{
	return do_getdents(t, a, true);
}

SYS_HANDLER(getdents64)
{
	return do_getdents(t, a, false);
}
