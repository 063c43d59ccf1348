/* Descriptor tables: an array of files, and a bit each for "in use" and "close on exec". */
#include "services/sysd/vfs/fdtable.h"

#include "services/sysd/sys/sysctl.h"
#include "services/sysd/vfs/dnotify.h"
#include "services/sysd/vfs/internal.h"
#include "services/sysd/vfs/lock.h"

struct fdtable {
	unsigned refs;
	int size;           /* of the arrays; a multiple of 64 */
	int next;           /* no free number below */
	struct file **files;
	uint64_t *used, *cloexec;
};

static int grow(struct fdtable *ft, int want)
{
	int size = ft->size ? ft->size : 64;
	struct file **files;
	uint64_t *used, *cloexec;

	while (size <= want)
		size *= 2;
	if (size <= ft->size)
		return 0;
	files = realloc(ft->files, (size_t)size * sizeof(*files));
	if (!files)
		return -ENOMEM;
	ft->files = files;
	used = realloc(ft->used, (size_t)size / 8);
	if (!used)
		return -ENOMEM;
	ft->used = used;
	cloexec = realloc(ft->cloexec, (size_t)size / 8);
	if (!cloexec)
		return -ENOMEM;
	ft->cloexec = cloexec;
	memset(files + ft->size, 0, (size_t)(size - ft->size) * sizeof(*files));
	memset(used + ft->size / 64, 0, (size_t)(size - ft->size) / 8);
	memset(cloexec + ft->size / 64, 0, (size_t)(size - ft->size) / 8);
	ft->size = size;
	return 0;
}

struct fdtable *fdtable_new(void)
{
	struct fdtable *ft = calloc(1, sizeof(*ft));

	if (!ft)
		return NULL;
	ft->refs = 1;
	if (grow(ft, 0) < 0) {
		fdtable_unref(ft);
		return NULL;
	}
	return ft;
}

struct fdtable *fdtable_ref(struct fdtable *ft)
{
	ft->refs++;
	return ft;
}

unsigned fdtable_users(const struct fdtable *ft)
{
	return ft->refs;
}

static inline void set_bit(uint64_t *map, int fd, bool on)
{
	if (on)
		map[fd / 64] |= 1ull << (fd % 64);
	else
		map[fd / 64] &= ~(1ull << (fd % 64));
}

static inline bool get_bit(const uint64_t *map, int fd)
{
	return map[fd / 64] >> (fd % 64) & 1;
}

static struct file *take(struct fdtable *ft, int fd)
{
	struct file *f = ft->files[fd];

	ft->files[fd] = NULL;
	set_bit(ft->used, fd, false);
	set_bit(ft->cloexec, fd, false);
	if (fd < ft->next)
		ft->next = fd;
	return f;
}

/* What close(2) does to a description beyond dropping a reference. */
static int filp_close(struct fdtable *ft, struct task *t, struct file *f)
{
	int ret = 0;

	if (!(f->flags & O_PATH)) {
		if (f->op->flush)
			ret = f->op->flush(f, t);
		if (f->inode->dnotify)
			dnotify_remove(f, ft);
		if (f->inode->locks)
			locks_remove_posix(f, ft);
	}
	file_unref(f);
	return ret;
}

void fdtable_unref(struct fdtable *ft)
{
	if (!ft || --ft->refs)
		return;
	for (int fd = fdtable_next(ft, 0); fd >= 0; fd = fdtable_next(ft, fd + 1))
		filp_close(ft, current_task(), take(ft, fd));
	free(ft->files);
	free(ft->used);
	free(ft->cloexec);
	free(ft);
}

struct fdtable *fdtable_dup(struct fdtable *old)
{
	struct fdtable *ft = calloc(1, sizeof(*ft));
	int last = -1;

	if (!ft)
		return NULL;
	ft->refs = 1;
	for (int i = old->size / 64 - 1; i >= 0 && last < 0; i--) {
		if (old->used[i])
			last = i * 64 + 63;
	}
	if (grow(ft, MAX(last, 0)) < 0) {
		fdtable_unref(ft);
		return NULL;
	}
	for (int fd = fdtable_next(old, 0); fd >= 0; fd = fdtable_next(old, fd + 1))
		ft->files[fd] = file_ref(old->files[fd]);
	memcpy(ft->used, old->used, (size_t)MIN(ft->size, old->size) / 8);
	memcpy(ft->cloexec, old->cloexec, (size_t)MIN(ft->size, old->size) / 8);
	ft->next = MIN(old->next, ft->size);
	return ft;
}

void fdtable_close_on_exec(struct fdtable *ft, struct task *t)
{
	for (int i = 0; i < ft->size / 64; i++) {
		while (ft->cloexec[i]) {
			int fd = i * 64 + __builtin_ctzll(ft->cloexec[i]);

			filp_close(ft, t, take(ft, fd));
		}
	}
}

struct file *fd_get_any(struct task *t, int fd)
{
	const struct fdtable *ft = t->files;
	struct file *f;

	if (unlikely((unsigned)fd >= (unsigned)ft->size))
		return NULL;
	f = ft->files[fd];
	if (f)
		f->refs++;
	return f;
}

struct file *fd_get(struct task *t, int fd)
{
	const struct fdtable *ft = t->files;
	struct file *f;

	if (unlikely((unsigned)fd >= (unsigned)ft->size))
		return NULL;
	f = ft->files[fd];
	if (unlikely(!f || (f->flags & O_PATH)))
		return NULL;
	f->refs++;
	return f;
}

struct file *fdtable_get(const struct fdtable *ft, int fd)
{
	if (!ft || (unsigned)fd >= (unsigned)ft->size || !ft->files[fd])
		return NULL;
	return file_ref(ft->files[fd]);
}

int fdtable_next(const struct fdtable *ft, int fd)
{
	uint64_t w;
	int i;

	if (!ft || fd < 0 || fd >= ft->size)
		return -1;
	i = fd / 64;
	w = ft->used[i] & ~0ull << (fd % 64);
	while (!w) {
		if (++i >= ft->size / 64)
			return -1;
		w = ft->used[i];
	}
	return i * 64 + __builtin_ctzll(w);
}

static int next_free(const struct fdtable *ft, int from)
{
	int i = from / 64;
	uint64_t w;

	if (from >= ft->size)
		return from;
	w = ~ft->used[i] & ~0ull << (from % 64);
	while (!w) {
		if (++i >= ft->size / 64)
			return ft->size;
		w = ~ft->used[i];
	}
	return i * 64 + __builtin_ctzll(w);
}

static int fd_limit(const struct task *t)
{
	uint64_t lim = t_rlimit(t, RLIMIT_NOFILE);

	return (int)MIN(lim, (uint64_t)sysctl_nr_open);
}

static void enter(struct fdtable *ft, int fd, struct file *f, bool cloexec)
{
	ft->files[fd] = f;
	set_bit(ft->used, fd, true);
	set_bit(ft->cloexec, fd, cloexec);
}

int fd_install(struct task *t, struct file *f, int min, bool cloexec)
{
	struct fdtable *ft = t->files;
	int fd = next_free(ft, MAX(min, ft->next));

	if (fd >= fd_limit(t))
		return -EMFILE;
	if (fd >= ft->size && grow(ft, fd) < 0)
		return -ENOMEM;
	enter(ft, fd, f, cloexec);
	if (min <= ft->next)
		ft->next = fd + 1;
	return fd;
}

int fd_install_at(struct task *t, struct file *f, int fd, bool cloexec)
{
	struct fdtable *ft = t->files;
	struct file *old = NULL;

	if (fd < 0 || fd >= fd_limit(t))
		return -EBADF;
	if (fd >= ft->size && grow(ft, fd) < 0)
		return -ENOMEM;
	if (ft->files[fd])
		old = take(ft, fd);
	enter(ft, fd, f, cloexec);
	if (old)
		filp_close(ft, t, old);
	return fd;
}

int fd_close(struct task *t, int fd)
{
	struct fdtable *ft = t->files;

	if ((unsigned)fd >= (unsigned)ft->size || !ft->files[fd])
		return -EBADF;
	return filp_close(ft, t, take(ft, fd));
}

bool fd_cloexec(struct task *t, int fd)
{
	const struct fdtable *ft = t->files;

	return (unsigned)fd < (unsigned)ft->size && get_bit(ft->cloexec, fd);
}

int fd_set_cloexec(struct task *t, int fd, bool on)
{
	struct fdtable *ft = t->files;

	if ((unsigned)fd >= (unsigned)ft->size || !ft->files[fd])
		return -EBADF;
	set_bit(ft->cloexec, fd, on);
	return 0;
}
