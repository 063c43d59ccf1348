/* Mounts and mount namespaces. A mount is held by its place in a tree (one reference), by the mounts on
 * top of it, and by every path kept into it. A detached tree (MNT_DETACH) loses its place at once and
 * goes when its last file is closed. Mounts on one dentry are found through a hash of (parent mount,
 * dentry); dentry.is_mountpoint says that it is worth asking.
 *
 * Propagation between peers is recorded for mountinfo, not carried out: the namespaces of a sandbox see
 * their own changes only. */
#include "services/sysd/vfs/mount.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/inode.h"

#define HASH_SIZE 256u
#define MOUNT_MAX 100000u

static struct list table[HASH_SIZE];
static bool table_ready;
static int next_id = 20;
static int next_group = 1;
static uint64_t next_ns_id = 0xf0000000u;

static struct list *bucket(const struct vfsmount *m, const struct dentry *d)
{
	uint64_t k = ((uint64_t)(uintptr_t)m >> 5) * 31 + ((uint64_t)(uintptr_t)d >> 5);

	if (!table_ready) {
		for (unsigned i = 0; i < HASH_SIZE; i++)
			list_init(&table[i]);
		table_ready = true;
	}
	return &table[(k ^ (k >> 8)) % HASH_SIZE];
}

struct vfsmount *mnt_new(struct super_block *sb, struct dentry *root, unsigned flags, const char *source)
{
	struct vfsmount *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	if (source) {
		m->source = strdup(source);
		if (!m->source) {
			free(m);
			return NULL;
		}
	}
	m->refs = 1;
	m->sb = super_ref(sb);
	m->root = dentry_ref(root);
	m->flags = flags;
	m->id = next_id++;
	m->propagation = MS_PRIVATE;
	list_init(&m->children);
	list_init(&m->child_node);
	list_init(&m->ns_node);
	list_init(&m->hash_node);
	return m;
}

struct vfsmount *mnt_ref(struct vfsmount *m)
{
	m->refs++;
	return m;
}

void mnt_unref(struct vfsmount *m)
{
	if (!m || --m->refs)
		return;
	dentry_unref(m->root);
	super_unref(m->sb);
	free(m->source);
	free(m);
}

struct vfsmount *mnt_lookup(const struct vfsmount *parent, const struct dentry *mountpoint)
{
	struct vfsmount *m;

	LIST_FOR_EACH (m, bucket(parent, mountpoint), hash_node) {
		if (m->parent == parent && m->mountpoint == mountpoint)
			return m;
	}
	return NULL;
}

void mnt_follow(struct path *path)
{
	while (path->dentry->is_mountpoint) {
		struct vfsmount *m = mnt_lookup(path->mnt, path->dentry);
		struct path old = *path;

		if (!m)
			return;
		path->mnt = mnt_ref(m);
		path->dentry = dentry_ref(m->root);
		path_put(&old);
	}
}

bool mnt_follow_up(struct path *path)
{
	struct path old = *path;

	if (!path->mnt->parent)
		return false;
	path->dentry = dentry_ref(old.mnt->mountpoint);
	path->mnt = mnt_ref(old.mnt->parent);
	path_put(&old);
	return true;
}

struct vfsmount *mnt_next(struct vfsmount *m, struct vfsmount *top)
{
	if (!list_empty(&m->children))
		return LIST_FIRST(&m->children, struct vfsmount, child_node);
	while (m != top) {
		if (m->child_node.next != &m->parent->children)
			return LIST_ENTRY(m->child_node.next, struct vfsmount, child_node);
		m = m->parent;
	}
	return NULL;
}

static void ns_changed(struct mnt_ns *ns)
{
	ns->event++;
	waitq_wake(&ns->poll, INT32_MAX, 0);
}

static void ns_add_tree(struct mnt_ns *ns, struct vfsmount *top)
{
	for (struct vfsmount *m = top; m; m = mnt_next(m, top)) {
		if (m->ns)
			m->ns->count--;
		m->ns = ns;
		ns->count++;
		list_del(&m->ns_node);
		list_add_tail(&ns->mounts, &m->ns_node);
	}
	ns_changed(ns);
}

/* Takes over the caller's reference of m as that of its place. */
static void attach(struct vfsmount *m, struct vfsmount *parent, struct dentry *at)
{
	m->parent = mnt_ref(parent);
	m->mountpoint = dentry_ref(at);
	at->is_mountpoint = true;
	list_add_tail(&parent->children, &m->child_node);
	list_add(bucket(parent, at), &m->hash_node);
}

static bool still_mountpoint(const struct dentry *d)
{
	for (unsigned i = 0; i < HASH_SIZE; i++) {
		struct vfsmount *m;

		LIST_FOR_EACH (m, &table[i], hash_node) {
			if (m->mountpoint == d)
				return true;
		}
	}
	return false;
}

/* Takes m off its place; the reference of the place becomes the caller's. */
static void detach(struct vfsmount *m)
{
	struct dentry *at = STEAL_PTR(m->mountpoint);
	struct vfsmount *parent = STEAL_PTR(m->parent);

	list_del(&m->child_node);
	list_del(&m->hash_node);
	if (at) {
		at->is_mountpoint = still_mountpoint(at);
		dentry_unref(at);
	}
	mnt_unref(parent);
}

void mnt_detach_tree(struct vfsmount *top)
{
	struct vfsmount *m = top, *up;

	/* From the leaves up, without recursion: a guest nests mounts as deep as it likes. Each place's
	 * reference is dropped; files may hold on to theirs. */
	while (m) {
		if (!list_empty(&m->children)) {
			m = LIST_FIRST(&m->children, struct vfsmount, child_node);
			continue;
		}
		up = m == top ? NULL : m->parent;
		if (m->ns)
			m->ns->count--;
		list_del(&m->ns_node);
		m->ns = NULL;
		detach(m);
		mnt_unref(m);
		m = up;
	}
}

struct mnt_ns *mnt_ns_new(struct vfsmount *root)
{
	struct mnt_ns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ns->refs = 1;
	ns->id = next_ns_id++;
	list_init(&ns->mounts);
	waitq_init(&ns->poll);
	ns->root = root;
	if (root)
		ns_add_tree(ns, root);
	return ns;
}

struct mnt_ns *mnt_ns_ref(struct mnt_ns *ns)
{
	ns->refs++;
	return ns;
}

void mnt_ns_unref(struct mnt_ns *ns)
{
	if (!ns || --ns->refs)
		return;
	mnt_detach_tree(ns->root);
	waitq_end(&ns->poll, 0); /* an open /proc/PID/mounts that somebody watches does not hold us */
	free(ns);
}

static struct vfsmount *clone_one(const struct vfsmount *m, struct dentry *root)
{
	struct vfsmount *c = mnt_new(m->sb, root, m->flags, m->source);

	if (c) {
		c->propagation = m->propagation;
		c->peer_group = m->peer_group;
		c->master_group = m->master_group;
	}
	return c;
}

/* Copies the mounts below `from` whose places lie below `root` onto their places in `to`. */
static int clone_children(struct vfsmount *from, struct dentry *root, struct vfsmount *to, bool whole)
{
	struct vfsmount *src = from, *dst = to, *m, *c;
	struct list *n = from->children.next;

	for (;;) {
		if (n == &src->children) { /* this level is done */
			if (src == from)
				return 0;
			n = src->child_node.next;
			src = src->parent;
			dst = dst->parent;
			continue;
		}
		m = LIST_ENTRY(n, struct vfsmount, child_node);
		if ((src == from && !d_is_ancestor(root, m->mountpoint)) ||
		    (!whole && m->propagation == MS_UNBINDABLE)) {
			n = n->next;
			continue;
		}
		c = clone_one(m, m->root);
		if (!c)
			return -ENOMEM;
		attach(c, dst, m->mountpoint);
		src = m;
		dst = c;
		n = m->children.next;
	}
}

struct vfsmount *mnt_clone_tree(struct vfsmount *from, struct dentry *root, bool recursive)
{
	struct vfsmount *c = clone_one(from, root);

	if (c && recursive && clone_children(from, root, c, false) < 0) {
		mnt_detach_tree(c);
		return NULL;
	}
	return c;
}

/* The copy of a path's mount: both trees have the same shape. */
static void move_path(struct path *p, struct vfsmount *from, struct vfsmount *to)
{
	struct vfsmount *a = from, *b = to;

	while (a && b) {
		if (p->mnt == a) {
			p->mnt = mnt_ref(b);
			mnt_unref(a);
			return;
		}
		a = mnt_next(a, from);
		b = mnt_next(b, to);
	}
}

struct mnt_ns *mnt_ns_dup(struct mnt_ns *ns, struct task *t)
{
	struct vfsmount *root = clone_one(ns->root, ns->root->root);
	struct mnt_ns *copy;

	if (!root)
		return NULL;
	if (clone_children(ns->root, ns->root->root, root, true) < 0 || !(copy = mnt_ns_new(root))) {
		mnt_detach_tree(root);
		return NULL;
	}
	if (t && t->fs) {
		move_path(&t->fs->root, ns->root, root);
		move_path(&t->fs->pwd, ns->root, root);
	}
	return copy;
}

/* Enters a tree (whose reference is taken over on success) at a path. */
static int attach_at(struct mnt_ns *ns, struct vfsmount *m, const struct path *at)
{
	struct path p;
	int ret = 0;

	if (!at || !at->dentry) {
		if (ns->root)
			return -EBUSY;
		ns->root = m;
		ns_add_tree(ns, m);
		return 0;
	}
	p = *at;
	path_get(&p);
	mnt_follow(&p);
	if (p.mnt->ns != ns)
		ret = -EINVAL;
	else if (p.dentry->unhashed && p.dentry->parent != p.dentry)
		ret = -ENOENT;
	else if (S_ISDIR(p.dentry->inode->mode) != S_ISDIR(m->root->inode->mode))
		ret = -ENOTDIR;
	else if (ns->count >= MOUNT_MAX)
		ret = -ENOSPC;
	if (!ret) {
		attach(m, p.mnt, p.dentry);
		if (p.mnt->propagation == MS_SHARED && m->propagation != MS_SHARED)
			mnt_set_propagation(m, MS_SHARED, true);
		ns_add_tree(ns, m);
	}
	path_put(&p);
	return ret;
}

int mnt_attach(struct mnt_ns *ns, struct super_block *sb, const struct path *at, unsigned mnt_flags,
	       const char *source)
{
	struct vfsmount *m = mnt_new(sb, sb->root, mnt_flags, source);
	int ret;

	if (!m)
		return -ENOMEM;
	ret = attach_at(ns, m, at);
	if (ret < 0)
		mnt_unref(m);
	return ret;
}

int mnt_mount_new(struct mnt_ns *ns, const struct path *at, const char *fstype, const char *source,
		  const char *data, unsigned sb_flags, unsigned mnt_flags)
{
	struct fs_type *type = fs_type_find(fstype);
	struct super_block *sb = NULL;
	int ret;

	if (!type)
		return -ENODEV;
	ret = type->mount(type, source, data, sb_flags, &sb);
	if (ret < 0)
		return ret;
	sb->flags |= sb_flags & (MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK | MS_LAZYTIME);
	if (source && !sb->source)
		sb->source = strdup(source);
	ret = mnt_attach(ns, sb, at, mnt_flags, source);
	super_unref(sb);
	return ret;
}

int mnt_bind(struct mnt_ns *ns, const struct path *from, const struct path *at, bool recursive)
{
	struct vfsmount *m;
	int ret;

	if (from->mnt->propagation == MS_UNBINDABLE)
		return -EINVAL;
	m = mnt_clone_tree(from->mnt, from->dentry, recursive);
	if (!m)
		return -ENOMEM;
	ret = attach_at(ns, m, at);
	if (ret < 0)
		mnt_detach_tree(m);
	return ret;
}

int mnt_move(struct mnt_ns *ns, struct vfsmount *m, const struct path *at)
{
	struct vfsmount *old_parent = m->parent, *up;
	struct dentry *old_at = m->mountpoint;
	int ret;

	if (m == ns->root)
		return -EINVAL;
	if (old_parent && old_parent->propagation == MS_SHARED)
		return -EINVAL;
	for (up = at->mnt; up; up = up->parent) {
		if (up == m)
			return -ELOOP;
	}
	if (!old_parent) {
		mnt_ref(m);
		ret = attach_at(ns, m, at);
		if (ret < 0)
			mnt_unref(m);
		return ret;
	}
	mnt_ref(old_parent);
	dentry_ref(old_at);
	detach(m);
	ret = attach_at(ns, m, at);
	if (ret < 0)
		attach(m, old_parent, old_at);
	dentry_unref(old_at);
	mnt_unref(old_parent);
	return ret;
}

int mnt_umount(struct mnt_ns *ns, struct vfsmount *m, int flags)
{
	if (m->ns != ns)
		return -EINVAL;
	if (m == ns->root)
		return -EBUSY;
	if (!(flags & MNT_DETACH)) {
		/* the place and the caller */
		if (!list_empty(&m->children) || m->refs > 2)
			return -EBUSY;
		if ((flags & MNT_EXPIRE) && !m->expire_mark) {
			m->expire_mark = true;
			return -EAGAIN;
		}
	}
	mnt_detach_tree(m);
	ns_changed(ns);
	return 0;
}

int mnt_set_flags(struct vfsmount *m, unsigned flags)
{
	m->flags = flags;
	if (m->ns)
		ns_changed(m->ns);
	return 0;
}

void mnt_set_propagation(struct vfsmount *top, unsigned type, bool recursive)
{
	for (struct vfsmount *m = top; m; m = recursive ? mnt_next(m, top) : NULL) {
		switch (type) {
		case MS_SHARED:
			if (!m->peer_group)
				m->peer_group = next_group++;
			break;
		case MS_SLAVE:
			/* A slave without a master is private. */
			if (m->peer_group)
				m->master_group = m->peer_group;
			m->peer_group = 0;
			if (!m->master_group) {
				m->propagation = MS_PRIVATE;
				continue;
			}
			break;
		default:
			m->peer_group = m->master_group = 0;
			break;
		}
		m->propagation = (int)type;
	}
	if (top->ns)
		ns_changed(top->ns);
}

int mnt_pivot_root(struct mnt_ns *ns, struct vfsmount *old, const struct path *new_root,
		   const struct path *put_old)
{
	struct vfsmount *new_m = new_root->mnt, *parent = old->parent;
	struct dentry *at = old->mountpoint;
	struct path p;

	/* pivot_root(2) lists the conditions. The caller has seen that put_old is at or below new_root, and
	 * that below old. */
	if (new_m == old || put_old->mnt == old)
		return -EBUSY;
	if (new_m->root != new_root->dentry || !new_m->parent || new_m->ns != ns || old->ns != ns)
		return -EINVAL;
	if (!parent && old != ns->root)
		return -EINVAL;
	p = *put_old;
	path_get(&p);
	mnt_follow(&p);
	detach(new_m); /* the reference of its place goes with it to the new place */
	if (parent) {  /* in a chroot: the new root takes the old one's place */
		mnt_ref(parent);
		dentry_ref(at);
		detach(old);
		attach(new_m, parent, at);
		dentry_unref(at);
		mnt_unref(parent);
	} else {
		ns->root = new_m;
	}
	attach(old, p.mnt, p.dentry);
	path_put(&p);
	ns_changed(ns);
	return 0;
}
