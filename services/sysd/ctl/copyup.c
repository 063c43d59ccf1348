/* tmpcopyup: a tmpfs that begins with what the folder beneath it holds. The folder is read before the mount
 * covers it, and made again after. It is the image's, so that its size is bounded: what engines cover so
 * (/run, /tmp, /var/tmp) holds next to nothing. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "common/base/util.h"
#include "services/sysd/ctl/internal.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/internal.h"
#include "services/sysd/vfs/mount.h"
#include "services/sysd/vfs/namei.h"

#define COUNT_MAX 65536
#define BYTES_MAX (64ul << 20)
#define DEPTH_MAX 64

struct copy_entry {
	struct copy_entry *next;
	char *path;          /* absolute */
	struct inode_attr attr;
	uint64_t rdev;
	char *data;          /* of a file, or the target of a link */
	size_t size;
};

struct copy {
	struct copy_entry *first, **last;
	size_t count, bytes;
};

struct names {
	struct dir_context ctx;
	char **v;
	size_t count;
	bool failed;
};

static bool take_name(struct dir_context *ctx, const char *name, size_t size, int64_t next_pos, uint64_t ino,
		      unsigned d_type)
{
	struct names *n = CONTAINER_OF(ctx, struct names, ctx);
	char **v;

	if ((size == 1 && name[0] == '.') || (size == 2 && !memcmp(name, "..", 2)))
		return true;
	v = n->count < COUNT_MAX ? realloc(n->v, (n->count + 1) * sizeof(*v)) : NULL;
	if (!v) {
		n->failed = true;
		return false;
	}
	n->v = v;
	v[n->count] = strndup(name, size);
	n->failed = !v[n->count];
	n->count += !n->failed;
	return !n->failed;
}

static int read_names(const struct path *dir, struct task *t, struct names *n)
{
	struct file *f;
	int r = file_open_path(dir, O_RDONLY | O_DIRECTORY, t->cred, &f);
	size_t before;

	n->ctx.emit = take_name;
	if (r < 0)
		return r;
	do {
		before = n->count;
		r = f->op->iterate ? f->op->iterate(f, &n->ctx) : -ENOTDIR;
	} while (r >= 0 && n->count > before && !n->failed);
	file_unref(f);
	return r < 0 ? r : n->failed ? -ENOMEM : 0;
}

static int read_file(struct copy *c, struct copy_entry *en, const struct path *p, struct task *t)
{
	uint64_t size = p->dentry->inode->size;
	struct file *f;
	ssize_t n = 1;
	int r;

	if (size > BYTES_MAX - c->bytes)
		return -EFBIG;
	en->data = malloc(size + 1);
	if (!en->data)
		return -ENOMEM;
	r = file_open_path(p, O_RDONLY, t->cred, &f);
	while (r == 0 && n > 0 && en->size < size) {
		n = file_kernel_read(f, en->data + en->size, size - en->size, (int64_t)en->size);
		if (n < 0)
			r = (int)n;
		else
			en->size += (size_t)n;
	}
	if (r == 0 || n < 0)
		file_unref(f);
	c->bytes += en->size;
	return r;
}

static int read_dir(struct copy *c, const char *path, struct task *t, int depth);

static int read_one(struct copy *c, char *path, struct task *t, int depth)
{
	struct copy_entry *en = calloc(1, sizeof(*en));
	struct inode *inode;
	struct path p;
	int r = en && c->count < COUNT_MAX ? path_lookup(t, AT_FDCWD, path, 0, &p) : -ENOMEM;

	if (r < 0) {
		free(en);
		free(path);
		return r == -ENOENT ? 0 : r;
	}
	inode = p.dentry->inode;
	*en = (struct copy_entry){.path = path, .rdev = inode->rdev};
	en->attr = (struct inode_attr){.valid = ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME,
				       .mode = inode->mode, .uid = inode->uid, .gid = inode->gid,
				       .atime = inode->atime, .mtime = inode->mtime};
	*c->last = en;
	c->last = &en->next;
	c->count++;
	if (S_ISREG(inode->mode))
		r = read_file(c, en, &p, t);
	else if (S_ISLNK(inode->mode))
		r = inode->op->readlink ? inode->op->readlink(inode, &en->data) : -EINVAL;
	else if (S_ISDIR(inode->mode))
		r = depth < DEPTH_MAX ? read_dir(c, path, t, depth + 1) : -ELOOP;
	path_put(&p);
	return r < 0 ? r : 0;
}

static int read_dir(struct copy *c, const char *path, struct task *t, int depth)
{
	struct names n = {0};
	struct path dir;
	int r = path_lookup(t, AT_FDCWD, path, LOOKUP_DIRECTORY | (depth ? 0 : LOOKUP_FOLLOW), &dir);

	if (r < 0)
		return r;
	r = read_names(&dir, t, &n);
	path_put(&dir);
	for (size_t i = 0; i < n.count; i++) {
		char *full = NULL;

		if (r == 0)
			r = asprintf(&full, "%s/%s", path, n.v[i]) < 0 ? -ENOMEM : read_one(c, full, t, depth);
		free(n.v[i]);
	}
	free(n.v);
	return r;
}

int copy_read(struct task *t, const char *path, struct copy **ret)
{
	struct copy *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->last = &c->first;
	r = read_dir(c, path, t, 0);
	if (r < 0) {
		copy_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

static int write_file(struct task *t, const struct copy_entry *en)
{
	struct file *f;
	size_t done = 0;
	int r = tree_mkfile(t, en->path);

	if (r == 0)
		r = vfs_open(t, AT_FDCWD, en->path, O_WRONLY | O_NOFOLLOW, 0, 0, &f);
	if (r < 0)
		return r;
	while (r == 0 && done < en->size) {
		ssize_t n = file_kernel_write(f, en->data + done, en->size - done, (int64_t)done);

		if (n <= 0)
			r = n < 0 ? (int)n : -EIO;
		else
			done += (size_t)n;
	}
	file_unref(f);
	return r;
}

static int write_one(struct task *t, struct copy_entry *en)
{
	struct path p;
	int r;

	switch (en->attr.mode & S_IFMT) {
	case S_IFREG:
		r = write_file(t, en);
		break;
	case S_IFDIR:
		r = tree_mkdirs(t, en->path);
		break;
	case S_IFLNK:
		r = tree_symlink(t, en->path, en->data);
		en->attr.valid &= ~ATTR_MODE;
		break;
	default:
		r = tree_mknod(t, en->path, en->attr.mode, en->rdev);
	}
	if (r == 0)
		r = path_lookup(t, AT_FDCWD, en->path, 0, &p);
	if (r < 0)
		return r;
	r = vfs_setattr(p.dentry, &en->attr, false);
	path_put(&p);
	return r;
}

int copy_write(struct task *t, struct copy *c)
{
	int r = 0;

	for (struct copy_entry *en = c->first; en && r == 0; en = en->next)
		r = write_one(t, en);
	return r;
}

void copy_free(struct copy *c)
{
	struct copy_entry *next;

	for (struct copy_entry *en = c ? c->first : NULL; en; en = next) {
		next = en->next;
		free(en->path);
		free(en->data);
		free(en);
	}
	free(c);
}
