/* Path walk (path_resolution(7)).
 *
 * A walk over cached names takes no references and allocates nothing: fibers are cooperative, so what
 * was found stays until somebody sleeps. Before anything that may sleep (a lookup in the file system,
 * revalidation, reading a link) nd_pin turns the walk's pointers into references; from there on each
 * step counts them. Link texts are held by their inode (or are the walk's own copies). */
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/vfs/internal.h"

#include <linux/openat2.h>

#include "services/sysd/vfs/fdtable.h"

void nd_pin(struct nameidata *nd)
{
	if (nd->pinned)
		return;
	path_get(&nd->path);
	path_get(&nd->root);
	nd->pinned = true;
}

void nd_done(struct nameidata *nd)
{
	/* Inodes before paths: a mount may be the last of its file system. */
	while (nd->held) {
		struct inode *inode = nd->hold[--nd->held].inode;
		struct super_block *sb = inode->sb;

		inode_unref(inode);
		super_unref(sb); /* the link's mount may have gone while we slept */
		free(nd->hold[nd->held].text);
	}
	if (nd->pinned) {
		path_put(&nd->path);
		path_put(&nd->root);
		nd->pinned = false;
	}
}

/* Moves the walk to a place; the reference of `dentry` (when pinned) is taken over. */
static inline void nd_set(struct nameidata *nd, struct vfsmount *mnt, struct dentry *dentry)
{
	if (nd->pinned) {
		struct path old = nd->path;

		nd->path = (struct path){mnt_ref(mnt), dentry};
		path_put(&old);
		return;
	}
	nd->path = (struct path){mnt, dentry};
}

static inline void put_child(struct nameidata *nd, struct dentry *child)
{
	if (nd->pinned)
		dentry_unref(child);
}

/* May the walk search this directory? */
static inline int may_lookup(struct nameidata *nd)
{
	struct inode *dir = nd->path.dentry->inode;

	if (dir->op && dir->op->permission) {
		nd_pin(nd);
		return dir->op->permission(dir, nd->t, MAY_EXEC);
	}
	if ((dir->mode & 0111) == 0111)
		return 0;
	return generic_permission(dir, nd->t, MAY_EXEC);
}

/* From the file system; the walk is pinned. The result has a reference and may be negative. */
static int lookup_slow(struct nameidata *nd, bool lock, struct dentry **ret)
{
	struct dentry *parent = nd->path.dentry, *d;
	struct inode *dir = parent->inode;
	int err = 0;

	if (!dir->op || !dir->op->lookup)
		return -ENOTDIR;
	if (lock)
		kmutex_lock(&dir->lock);
	d = d_lookup_raw(parent, nd->last, nd->last_size, nd->last_hash);
	if (d) {
		*ret = dentry_ref(d);
		goto out;
	}
	if (!dir->nlink) { /* removed while we stand in it: nothing is there any more */
		err = -ENOENT;
		goto out;
	}
	d = d_alloc(parent, nd->last, nd->last_size);
	if (!d) {
		err = -ENOMEM;
		goto out;
	}
	err = dir->op->lookup(dir, d);
	if (err < 0) {
		dentry_unref(d);
		goto out;
	}
	if (d->unhashed)
		d_rehash(d);
	*ret = d;
out:
	if (lock)
		kmutex_unlock(&dir->lock);
	return err;
}

/* The component in nd->last below nd->path. The result has a reference if the walk is pinned (which
 * this may do). May be negative. */
static int lookup_child(struct nameidata *nd, bool lock, struct dentry **ret)
{
	struct super_block *sb = nd->path.dentry->sb;
	struct dentry *d = d_lookup_raw(nd->path.dentry, nd->last, nd->last_size, nd->last_hash);
	int ok;

	if (likely(d)) {
		if (likely(!sb->op || !sb->op->revalidate)) {
			*ret = nd->pinned ? dentry_ref(d) : d;
			return 0;
		}
		nd_pin(nd);
		dentry_ref(d);
		ok = sb->op->revalidate(d);
		if (ok > 0) {
			*ret = d;
			return 0;
		}
		if (!ok)
			d_invalidate(d);
		dentry_unref(d);
		if (ok < 0)
			return ok;
	}
	if (nd->flags & LOOKUP_CACHED)
		return -EAGAIN;
	if (nd->last_size > NAME_MAX)
		return -ENAMETOOLONG;
	nd_pin(nd);
	return lookup_slow(nd, lock, ret);
}

/* BENEATH and IN_ROOT: a rename elsewhere may have moved us out while we slept. */
static bool still_beneath(const struct nameidata *nd)
{
	const struct dentry *d = nd->path.dentry;
	const struct vfsmount *m = nd->path.mnt;

	for (;;) {
		if (m == nd->root.mnt && d == nd->root.dentry)
			return true;
		if (d == m->root || d->parent == d) {
			if (!m->parent)
				return false;
			d = m->mountpoint;
			m = m->parent;
		} else {
			d = d->parent;
		}
	}
}

static int walk_dotdot(struct nameidata *nd)
{
	struct vfsmount *m = nd->path.mnt, *up;
	struct dentry *d = nd->path.dentry;

	for (;;) {
		if (d == nd->root.dentry && m == nd->root.mnt) {
			if (nd->flags & LOOKUP_BENEATH)
				return -EXDEV;
			break;
		}
		if (d != m->root) {
			d = d->parent;
			break;
		}
		if (!m->parent)
			break;
		if (nd->flags & LOOKUP_NO_XDEV)
			return -EXDEV;
		d = m->mountpoint;
		m = m->parent;
	}
	while (d->is_mountpoint && (up = mnt_lookup(m, d))) {
		if (nd->flags & LOOKUP_NO_XDEV)
			return -EXDEV;
		m = up;
		d = m->root;
	}
	nd_set(nd, m, nd->pinned ? dentry_ref(d) : d);
	if ((nd->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) && !still_beneath(nd))
		return -EXDEV;
	return 0;
}

static int jump_root(struct nameidata *nd)
{
	if (nd->flags & LOOKUP_BENEATH)
		return -EXDEV;
	if ((nd->flags & LOOKUP_NO_XDEV) && nd->path.mnt != nd->root.mnt)
		return -EXDEV;
	nd_set(nd, nd->root.mnt, nd->pinned ? dentry_ref(nd->root.dentry) : nd->root.dentry);
	return 0;
}

/* protected_symlinks: in a sticky directory that everybody may write to, follow only one's own links
 * and those of the directory's owner (proc_sys_fs(5)). */
static int may_follow_link(const struct nameidata *nd, const struct inode *link)
{
	const struct inode *dir = nd->path.dentry->inode;

	if (!sysctl_protected_symlinks || link->uid == nd->t->cred->fsuid)
		return 0;
	if ((dir->mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH))
		return 0;
	return dir->uid == link->uid ? 0 : -EACCES;
}

static int link_text(struct nameidata *nd, struct inode *inode, const char **ret)
{
	char *text = NULL;
	int err;

	if (!inode->link) {
		if (nd->flags & LOOKUP_CACHED)
			return -EAGAIN;
		if (!inode->op || !inode->op->readlink)
			return -EINVAL;
		err = inode->op->readlink(inode, &text);
		if (err < 0)
			return err;
		if (inode->keeps_link && !inode->link)
			inode->link = STEAL_PTR(text);
	}
	super_ref(inode->sb);
	nd->hold[nd->held].inode = inode_ref(inode);
	nd->hold[nd->held].text = text;
	nd->held++;
	*ret = text ? text : inode->link;
	return **ret ? 0 : -ENOENT;
}

/* Follows the link `child` (in mount m; a reference if pinned, consumed). *ret: what to walk next, NULL
 * when the link jumped. */
static int pick_link(struct nameidata *nd, struct vfsmount *m, struct dentry *child, bool last,
		     const char **ret)
{
	struct inode *inode = child->inode;
	struct path at = {m, child};
	struct path to;
	int err = 0;

	if (nd->links++ >= SYMLINK_MAX_COUNT || (nd->flags & LOOKUP_NO_SYMLINKS) ||
	    (m->flags & MNT_NOSYMFOLLOW))
		err = -ELOOP;
	else if (last)
		err = may_follow_link(nd, inode);
	if (err < 0) {
		put_child(nd, child);
		return err;
	}
	if (!inode->link && !nd->pinned) {
		nd_pin(nd);
		dentry_ref(child);
	}
	touch_atime(&at);
	if (inode->op && inode->op->get_link_path) {
		if (nd->flags & LOOKUP_NO_MAGICLINKS)
			err = -ELOOP;
		else if (nd->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT))
			err = -EXDEV;
		else
			err = inode->op->get_link_path(inode, nd->t, &to);
		put_child(nd, child);
		if (err < 0)
			return err;
		if ((nd->flags & LOOKUP_NO_XDEV) && to.mnt != nd->path.mnt) {
			path_put(&to);
			return -EXDEV;
		}
		path_put(&nd->path);
		nd->path = to;
		*ret = NULL;
		return 0;
	}
	err = link_text(nd, inode, ret);
	put_child(nd, child);
	if (err < 0)
		return err;
	if (**ret == '/') {
		err = jump_root(nd);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Enters a found child (a reference if pinned, consumed): mounts on it, links. */
static inline int step_into(struct nameidata *nd, struct dentry *child, bool last, const char **ret_link)
{
	struct vfsmount *m = nd->path.mnt, *up;

	*ret_link = NULL;
	if (unlikely(!child->inode)) {
		put_child(nd, child);
		return -ENOENT;
	}
	while (unlikely(child->is_mountpoint) && (up = mnt_lookup(m, child))) {
		struct dentry *root = up->root;

		if (nd->flags & LOOKUP_NO_XDEV) {
			put_child(nd, child);
			return -EXDEV;
		}
		if (nd->pinned) {
			dentry_ref(root);
			dentry_unref(child);
		}
		child = root;
		m = up;
	}
	if (S_ISLNK(child->inode->mode) && (!last || (nd->flags & LOOKUP_FOLLOW)))
		return pick_link(nd, m, child, last, ret_link);
	nd_set(nd, m, child);
	return 0;
}

/* Parses one component at s; fills nd->last*. Returns the first character behind it. */
static inline const char *parse_component(struct nameidata *nd, const char *s)
{
	const char *p = s;
	uint32_t h = D_HASH_INIT;

	for (; *p && *p != '/'; p++)
		h = d_hash_step(h, (unsigned char)*p);
	nd->last = s;
	nd->last_size = (uint32_t)(p - s);
	nd->last_hash = h;
	nd->last_type = LAST_NORM;
	if (unlikely(*s == '.')) {
		if (nd->last_size == 1)
			nd->last_type = LAST_DOT;
		else if (nd->last_size == 2 && s[1] == '.')
			nd->last_type = LAST_DOTDOT;
	}
	return p;
}

/* One component that is not the last of all. */
static int walk_component(struct nameidata *nd, bool last, const char **ret_link)
{
	struct dentry *child;
	int err;

	*ret_link = NULL;
	if (unlikely(nd->last_type != LAST_NORM))
		return nd->last_type == LAST_DOTDOT ? walk_dotdot(nd) : 0;
	err = lookup_child(nd, true, &child);
	if (err < 0)
		return err;
	return step_into(nd, child, last, ret_link);
}

int nd_walk(struct nameidata *nd, const char *name)
{
	const char *rest[SYMLINK_MAX_COUNT], *link;
	unsigned depth = 0;
	int err;

	nd->last_type = LAST_ROOT;
	while (*name == '/')
		name++;
	if (!*name)
		return 0;
	for (;;) {
		const char *next;

		err = may_lookup(nd);
		if (err < 0)
			return err;
		next = parse_component(nd, name);
		while (*next == '/')
			next++;
		if (!*next) {
			if (!depth)
				return 0;
			/* the end of a link's text; the path that held the link goes on */
			next = rest[--depth];
		}
		err = walk_component(nd, false, &link);
		if (err < 0)
			return err;
		if (link) {
			rest[depth++] = next;
			while (*link == '/')
				link++;
			if (*link) {
				name = link;
				/* the directory the link stands in was searched already */
				if (!S_ISDIR(nd->path.dentry->inode->mode))
					return -ENOTDIR;
				continue;
			}
			next = rest[--depth]; /* a link to "/" */
		}
		if (!S_ISDIR(nd->path.dentry->inode->mode))
			return -ENOTDIR;
		name = next;
	}
}

static int nd_start(struct nameidata *nd, struct task *t, const struct path *from, unsigned flags)
{
	nd->t = t;
	nd->flags = flags;
	nd->pinned = false;
	nd->links = nd->held = 0;
	nd->last_type = LAST_ROOT;
	nd->last = "";
	nd->last_size = 0;
	nd->path = *from;
	nd->root = flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT) ? *from : t->fs->root;
	return 0;
}

int nd_walk_parent_at(struct nameidata *nd, struct task *t, const struct path *from, const char *name,
		      unsigned flags)
{
	int err;

	nd_start(nd, t, from, flags);
	if (!*name && !(flags & LOOKUP_EMPTY))
		return -ENOENT;
	if (*name == '/') {
		if (flags & LOOKUP_BENEATH)
			return -EXDEV;
		nd->path = nd->root;
	} else if (*name && !S_ISDIR(nd->path.dentry->inode->mode)) {
		return -ENOTDIR;
	}
	err = nd_walk(nd, name);
	return err;
}

int nd_walk_parent(struct nameidata *nd, struct task *t, int dirfd, const char *name, unsigned flags)
{
	struct path from = t->fs->pwd;
	struct file *f = NULL;
	int err;

	if (dirfd != AT_FDCWD && (*name != '/' || (flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)))) {
		if (!*name && !(flags & LOOKUP_EMPTY)) {
			nd_start(nd, t, &from, flags);
			return -ENOENT;
		}
		f = fd_get_any(t, dirfd);
		if (!f) {
			nd_start(nd, t, &from, flags);
			return -EBADF;
		}
		from = f->path;
	}
	nd_start(nd, t, &from, flags);
	if (!f)
		return nd_walk_parent_at(nd, t, &from, name, flags);
	/* The description may be closed while we sleep. */
	nd_pin(nd);
	file_unref(f);
	if (!*name) {
		nd->last_type = LAST_ROOT;
		return 0;
	}
	if (*name == '/') {
		if (flags & LOOKUP_BENEATH)
			return -EXDEV;
	} else if (!S_ISDIR(nd->path.dentry->inode->mode)) {
		return -ENOTDIR;
	}
	err = nd_walk(nd, name);
	return err;
}

int nd_lookup_last(struct nameidata *nd, bool lock, struct dentry **ret)
{
	nd_pin(nd);
	return lookup_child(nd, lock, ret);
}

int nd_step_last(struct nameidata *nd, struct dentry *child, const char **ret_next)
{
	return step_into(nd, child, true, ret_next);
}

int nd_last(struct nameidata *nd, const char **ret_next)
{
	if (nd_trailing_slash(nd))
		nd->flags |= LOOKUP_FOLLOW | LOOKUP_DIRECTORY;
	if (nd->last_type == LAST_ROOT) {
		*ret_next = NULL;
		return 0;
	}
	return walk_component(nd, true, ret_next);
}

/* The rest of a lookup whose parent is found. */
static int finish(struct nameidata *nd, int err, struct path *ret)
{
	const char *next;

	while (!err) {
		err = nd_last(nd, &next);
		if (err < 0 || !next)
			break;
		err = nd_walk(nd, next);
	}
	if (!err && (nd->flags & LOOKUP_DIRECTORY) && !S_ISDIR(nd->path.dentry->inode->mode))
		err = -ENOTDIR;
	if (!err) {
		*ret = nd->path;
		path_get(ret);
	}
	nd_done(nd);
	return err;
}

int path_lookup(struct task *t, int dirfd, const char *name, unsigned flags, struct path *ret)
{
	struct nameidata nd;

	return finish(&nd, nd_walk_parent(&nd, t, dirfd, name, flags), ret);
}

int path_lookup_at(struct task *t, const struct path *from, const char *name, unsigned flags,
		   struct path *ret)
{
	struct nameidata nd;

	return finish(&nd, nd_walk_parent_at(&nd, t, from, name, flags), ret);
}

int user_path_lookup(struct task *t, int dirfd, uint64_t uname, unsigned flags, struct path *ret)
{
	CLEANUP_PATH_BUF char *name = NULL;
	int err = path_buf_get(t, uname, flags & LOOKUP_EMPTY, &name);

	return err < 0 ? err : path_lookup(t, dirfd, name, flags, ret);
}

int path_parent(struct task *t, int dirfd, const char *name, unsigned flags, struct path *ret_parent,
		char **ret_last, enum last_type *ret_type, bool *ret_trailing_slash)
{
	struct nameidata nd;
	int err = nd_walk_parent(&nd, t, dirfd, name, flags);
	char *last;

	if (!err) {
		last = strndup(nd.last, nd.last_size);
		if (!last) {
			err = -ENOMEM;
		} else {
			*ret_last = last;
			*ret_type = nd.last_type;
			*ret_trailing_slash = nd_trailing_slash(&nd);
			*ret_parent = nd.path;
			path_get(ret_parent);
		}
	}
	nd_done(&nd);
	return err;
}
