/* The dentry cache. One hash table over (parent, name) for all file systems; a dentry nobody holds stays
 * in it, on a list in order of last use, when its file system says that lookups cost something. A
 * dentry holds its parent, so what is unused has no children, and pruning works from the leaves up.
 *
 * Nothing here sleeps except where the last reference of an inode goes (super_ops.evict). */
#include "services/sysd/vfs/dentry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/util.h"
#include "services/sysd/vfs/fsnotify.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/mount.h"

#define HASH_MIN 1024u

unsigned dentry_cache_limit = 32768;

static struct list *table;
static unsigned table_size, hashed_count, unused_count;
static bool pruning;

static inline unsigned bucket_of(const struct dentry *parent, uint32_t hash, unsigned size)
{
	uint64_t k = ((uint64_t)(uintptr_t)parent >> 4) * 0x9e3779b97f4a7c15ull;

	return (unsigned)((k >> 32) ^ (k >> 45) ^ hash ^ (hash >> 15)) & (size - 1);
}

/* Doubles the table; without memory the chains grow longer instead. */
static void table_grow(void)
{
	unsigned size = table_size ? table_size * 2 : HASH_MIN;
	struct list *grown = malloc(size * sizeof(*grown));

	if (!grown)
		return;
	for (unsigned i = 0; i < size; i++)
		list_init(&grown[i]);
	for (unsigned i = 0; i < table_size; i++) {
		while (!list_empty(&table[i])) {
			struct dentry *d = LIST_FIRST(&table[i], struct dentry, hash_node);

			list_del(&d->hash_node);
			list_add(&grown[bucket_of(d->parent, d->hash, size)], &d->hash_node);
		}
	}
	free(table);
	table = grown;
	table_size = size;
}

uint32_t d_hash_name(const char *name, size_t name_size)
{
	uint32_t h = D_HASH_INIT;

	for (size_t i = 0; i < name_size; i++)
		h = d_hash_step(h, (unsigned char)name[i]);
	return h;
}

struct dentry *d_lookup_raw(struct dentry *parent, const char *name, size_t name_size, uint32_t hash)
{
	struct list *head, *n;

	if (!table_size)
		return NULL;
	head = &table[bucket_of(parent, hash, table_size)];
	for (n = head->next; n != head; n = n->next) {
		struct dentry *d = LIST_ENTRY(n, struct dentry, hash_node);

		if (d->hash == hash && d->parent == parent && d->name_size == name_size &&
		    !memcmp(d->name, name, name_size))
			return d;
	}
	return NULL;
}

static void hash_insert(struct dentry *d)
{
	if (hashed_count >= table_size)
		table_grow();
	if (!table_size)
		return; /* no memory for a first table: the dentry stays uncached */
	list_add(&table[bucket_of(d->parent, d->hash, table_size)], &d->hash_node);
	hashed_count++;
	d->unhashed = false;
}

static void hash_remove(struct dentry *d)
{
	if (d->unhashed)
		return;
	list_del(&d->hash_node);
	hashed_count--;
	d->unhashed = true;
}

void d_rehash(struct dentry *d)
{
	if (d->unhashed)
		hash_insert(d);
}

struct dentry *dentry_ref(struct dentry *d)
{
	if (!d->refs++ && !list_empty(&d->lru)) {
		list_del(&d->lru);
		unused_count--;
	}
	return d;
}

/* Drops the inode; a last name that goes takes the watches with it. */
static void drop_inode(struct dentry *d)
{
	struct inode *inode = STEAL_PTR(d->inode);

	if (!inode)
		return;
	list_del(&d->alias);
	if (!inode->nlink && !list_empty(&inode->watches)) {
		fsnotify_inode(inode, NULL, IN_DELETE_SELF, 0);
		if (fsnotify_inode_gone)
			fsnotify_inode_gone(inode);
	}
	inode_unref(inode);
}

/* Frees a dentry without references; returns the parent whose reference it held. */
static struct dentry *dentry_free(struct dentry *d)
{
	struct dentry *parent = d->parent == d ? NULL : d->parent;

	hash_remove(d);
	list_del(&d->sibling);
	if (!list_empty(&d->lru)) {
		list_del(&d->lru);
		unused_count--;
	}
	drop_inode(d);
	if (d->name != d->iname)
		free(d->name);
	free(d);
	return parent;
}

void dentry_unref(struct dentry *d)
{
	while (d) {
		if (--d->refs)
			return;
		if (!d->unhashed && d->sb->cache_dentries && !d->sb->dying && table_size) {
			list_add_tail(&d->sb->unused, &d->lru);
			if (++unused_count > dentry_cache_limit && !pruning) {
				struct super_block *sb = d->sb;
				unsigned goal = dentry_cache_limit - dentry_cache_limit / 64;

				/* A leaf's parent comes onto the list when the leaf goes. */
				pruning = true;
				while (unused_count > goal && !list_empty(&sb->unused))
					d_prune(sb, unused_count - goal);
				pruning = false;
			}
			return;
		}
		d = dentry_free(d);
	}
}

void d_prune(struct super_block *sb, unsigned count)
{
	/* Freeing a leaf may put its parent on the list: the parents come last. */
	while (count-- && !list_empty(&sb->unused)) {
		struct dentry *d = LIST_FIRST(&sb->unused, struct dentry, lru);

		dentry_unref(dentry_free(d));
	}
}

unsigned dentry_cache_unused(void)
{
	return unused_count;
}

static int set_name(struct dentry *d, const char *name, size_t size)
{
	d->name = d->iname;
	if (size >= sizeof(d->iname)) {
		d->name = malloc(size + 1);
		if (!d->name)
			return -ENOMEM;
	}
	memcpy(d->name, name, size);
	d->name[size] = 0;
	d->name_size = (uint32_t)size;
	return 0;
}

static struct dentry *dentry_new(struct super_block *sb, const char *name, size_t size)
{
	struct dentry *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	if (set_name(d, name, size) < 0) {
		free(d);
		return NULL;
	}
	d->refs = 1;
	d->parent = d;
	d->sb = sb;
	d->unhashed = true;
	list_init(&d->children);
	list_init(&d->sibling);
	list_init(&d->alias);
	list_init(&d->hash_node);
	list_init(&d->lru);
	return d;
}

struct dentry *d_alloc(struct dentry *parent, const char *name, size_t name_size)
{
	struct dentry *d = dentry_new(parent->sb, name, name_size);

	if (!d)
		return NULL;
	d->hash = d_hash_name(name, name_size);
	d->parent = dentry_ref(parent);
	list_add(&parent->children, &d->sibling);
	return d;
}

struct dentry *d_alloc_root(struct inode *inode)
{
	struct dentry *d = dentry_new(inode->sb, "/", 1);

	if (d)
		d_instantiate(d, inode);
	else
		inode_unref(inode);
	return d;
}

struct dentry *d_alloc_anon(struct inode *inode, const char *name)
{
	struct dentry *d = dentry_new(inode->sb, name, strlen(name));

	if (d)
		d_instantiate(d, inode);
	else
		inode_unref(inode);
	return d;
}

void d_instantiate(struct dentry *d, struct inode *inode)
{
	if (!inode)
		return;
	d->inode = inode;
	list_add(&inode->dentries, &d->alias);
}

void d_add(struct dentry *d, struct inode *inode)
{
	d_instantiate(d, inode);
	d_rehash(d);
}

void d_drop(struct dentry *d)
{
	hash_remove(d);
	/* What is unused and cannot be found again is freed at once. */
	if (!d->refs) {
		d->refs = 1;
		if (!list_empty(&d->lru)) {
			list_del(&d->lru);
			unused_count--;
		}
		dentry_unref(d);
	}
}

void d_invalidate(struct dentry *d)
{
	struct dentry *c, *tmp;

	dentry_ref(d);
	LIST_FOR_EACH_SAFE (c, tmp, &d->children, sibling) {
		if (!c->refs)
			d_drop(c);
		else
			hash_remove(c);
	}
	hash_remove(d);
	dentry_unref(d);
}

void d_prune_children(struct dentry *d)
{
	struct dentry *c, *tmp;

	LIST_FOR_EACH_SAFE (c, tmp, &d->children, sibling) {
		if (!c->refs)
			d_drop(c);
	}
}

void d_delete(struct dentry *d)
{
	if (d->refs == 1 && d->sb->cache_dentries)
		drop_inode(d); /* a negative dentry remains: the name is likely to be asked for again */
	else
		hash_remove(d);
}

static void swap_names(struct dentry *a, struct dentry *b)
{
	char tmp[DENTRY_INAME_SIZE], *an = a->name, *bn = b->name;
	bool a_in = an == a->iname, b_in = bn == b->iname;
	uint32_t size = a->name_size, hash = a->hash;

	memcpy(tmp, a->iname, sizeof(tmp));
	memcpy(a->iname, b->iname, sizeof(tmp));
	memcpy(b->iname, tmp, sizeof(tmp));
	a->name = b_in ? a->iname : bn;
	b->name = a_in ? b->iname : an;
	a->name_size = b->name_size;
	b->name_size = size;
	a->hash = b->hash;
	b->hash = hash;
}

static void swap_places(struct dentry *a, struct dentry *b)
{
	struct dentry *ap = a->parent, *bp = b->parent;

	swap_names(a, b);
	list_del(&a->sibling);
	list_del(&b->sibling);
	a->parent = bp;
	b->parent = ap;
	list_add(&bp->children, &a->sibling);
	list_add(&ap->children, &b->sibling);
}

void d_move(struct dentry *d, struct dentry *target)
{
	hash_remove(d);
	hash_remove(target);
	swap_places(d, target);
	hash_insert(d);
}

void d_exchange(struct dentry *a, struct dentry *b)
{
	hash_remove(a);
	hash_remove(b);
	swap_places(a, b);
	hash_insert(a);
	hash_insert(b);
}

struct dentry *d_lookup(struct dentry *parent, const char *name, size_t name_size)
{
	struct dentry *d = d_lookup_raw(parent, name, name_size, d_hash_name(name, name_size));

	return d ? dentry_ref(d) : NULL;
}

bool d_is_ancestor(const struct dentry *ancestor, const struct dentry *d)
{
	for (;; d = d->parent) {
		if (d == ancestor)
			return true;
		if (d->parent == d)
			return false;
	}
}

void path_get(const struct path *p)
{
	if (p->mnt)
		mnt_ref(p->mnt);
	if (p->dentry)
		dentry_ref(p->dentry);
}

void path_put(struct path *p)
{
	struct vfsmount *mnt = STEAL_PTR(p->mnt);
	struct dentry *d = STEAL_PTR(p->dentry);

	if (d)
		dentry_unref(d);
	if (mnt)
		mnt_unref(mnt);
}

static char *prepend(char *buf, char *p, const char *text, size_t size)
{
	if (!p || (size_t)(p - buf) < size)
		return NULL;
	p -= size;
	memcpy(p, text, size);
	return p;
}

char *d_path(const struct path *path, const struct path *root, char *buf, size_t size)
{
	const struct dentry *d = path->dentry;
	const struct vfsmount *m = path->mnt;
	char *p = buf + size, *end;
	bool reached = true;

	if (!size)
		return NULL;
	*--p = 0;
	if (!m) /* a pipe, a socket: its name is all there is */
		return prepend(buf, p, d->name, d->name_size);
	if (d->unhashed && d->parent != d)
		p = prepend(buf, p, " (deleted)", 10);
	end = p;
	while (!(root && root->dentry == d && root->mnt == m)) {
		if (d == m->root || d->parent == d) {
			if (!m->parent) {
				reached = !root || !root->dentry;
				/* the root of the task's namespace, seen from nowhere else */
				break;
			}
			d = m->mountpoint;
			m = m->parent;
			continue;
		}
		p = prepend(buf, p, d->name, d->name_size);
		p = p ? prepend(buf, p, "/", 1) : NULL;
		if (!p)
			return NULL;
		d = d->parent;
	}
	if (p == end)
		p = prepend(buf, p, "/", 1);
	if (!reached)
		p = prepend(buf, p, "(unreachable)", 13);
	return p;
}
