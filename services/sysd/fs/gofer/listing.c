/* Listings: the names of a directory in the order in which they are told, and attributes of entries
 * nobody has looked at yet. On an exclusive mount a listing is kept and follows our own changes, so it
 * answers lookups of names that exist and of names that do not. An entry's position never changes
 * while the directory is open: removed entries stay as tombstones. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/fs/gofer/private.h"

struct listing {
	struct inode *dir;
	struct list lru;
	struct namelist list;
	struct fsd_attr *attrs; /* an entry's attr is an index + 1, 0: none (any more) */
	uint32_t attr_count, attr_capacity;
	uint32_t wanted;        /* lookups that found no attributes here */
	uint32_t taken;
	bool fat;               /* it was asked for with all attributes */
	uint64_t stamp;         /* clock_mono_ns, before it was asked for */
	size_t size;            /* bytes of memory, as counted in total_size */
};

#define TOTAL_MAX (8ul << 20)
#define WANT_FAT 3          /* so many lookups, and all attributes are fetched */
#define FAT_CREDIT 8        /* so many directories are then read fat in advance */

static struct list lru = LIST_INIT(lru);
static size_t total_size;
static unsigned fat_credit;

static void account(struct listing *l)
{
	size_t size = sizeof(*l) + namelist_memory(&l->list) + l->attr_capacity * sizeof(*l->attrs);

	total_size += size - l->size;
	l->size = size;
}

static void listing_destroy(struct listing *l)
{
	if (!l)
		return;
	total_size -= l->size;
	list_del(&l->lru);
	namelist_done(&l->list);
	free(l->attrs);
	free(l);
}

void listing_free(struct inode *dir)
{
	listing_destroy(STEAL_PTR(gofer_i(dir)->listing));
}

static struct listing *listing_alloc(struct inode *dir)
{
	struct listing *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->dir = dir;
	l->stamp = clock_mono_ns();
	list_init(&l->lru);
	account(l);
	return l;
}

/* Entries of another file system (FSD_MOUNT_XDEV) are marked: their numbers say nothing here. */
static int append(struct listing *l, const char *name, size_t size, uint64_t ino, unsigned type,
		  const struct fsd_attr *attr)
{
	struct namelist_entry *e;

	if ((attr && array_reserve(&l->attrs, &l->attr_capacity, l->attr_count + 1, sizeof(*attr)) < 0) ||
	    namelist_add(&l->list, name, size, ino, type, &e) < 0)
		return -ENOMEM;
	if (attr) {
		e->marked = attr->dev != gofer_i(l->dir)->dev;
		l->attrs[l->attr_count++] = *attr;
		e->attr = l->attr_count;
	}
	return 0;
}

struct namelist_entry *listing_find(struct listing *l, const char *name, size_t size)
{
	return namelist_find(&l->list, name, size);
}

/* What has an inode already may change through it: its attributes here would grow old unseen. */
static void drop_known_attrs(struct inode *dir, struct listing *l)
{
	for (uint32_t i = 0; i < l->list.count; i++) {
		struct namelist_entry *e = &l->list.entries[i];

		if (e->attr && gofer_known(dir->sb, l->attrs[e->attr - 1].dev, l->attrs[e->attr - 1].ino))
			e->attr = 0;
	}
}

/* Puts a listing in place and lets the oldest ones go. */
static void listing_install(struct inode *dir, struct listing *l)
{
	listing_free(dir);
	drop_known_attrs(dir, l);
	gofer_i(dir)->listing = l;
	account(l);
	list_add_tail(&lru, &l->lru);
	while (total_size > TOTAL_MAX) {
		struct listing *old, *victim = NULL;

		LIST_FOR_EACH(old, &lru, lru) {
			if (old != l && !gofer_i(old->dir)->opens) {
				victim = old;
				break;
			}
		}
		if (!victim)
			break;
		listing_free(victim->dir);
	}
}

static int add_message(struct listing *l, const struct gofer_call *c, struct fsd_dir_reader *r)
{
	struct fsd_dirent e;
	int ret = fsd_dir_open(r, c->msg, c->msg_size);

	if (ret < 0)
		return ret;
	while ((ret = fsd_dir_next(r, &e)) == 1) {
		ret = append(l, e.name.data, e.name.size, e.ino, e.type, e.has_attr ? &e.attr : NULL);
		if (ret < 0)
			return ret;
	}
	return ret;
}

/* All of a directory, in as many messages as it takes. */
static int fetch(struct inode *dir, struct listing *l)
{
	struct fsd_req q = {.op = FSD_READDIR, .size = FSD_READDIR_MAX,
			    .flags = l->fat ? FSD_DIR_ATTR : FSD_DIR_ATTR_DIRS};
	struct fsd_dir_reader r;
	struct gofer_call c;
	int ret;

	do {
		ret = gofer_inode_call(dir, &c, &q);
		if (!ret)
			ret = add_message(l, &c, &r);
		if (!ret) {
			gofer_stats.readdirs++;
			gofer_set_node(dir, r.node);
			if (!(r.flags & FSD_READDIR_EOF) && r.cookie == q.cookie)
				ret = -EIO; /* it would never end */
			q.cookie = r.cookie;
		}
		gofer_call_done(&c);
	} while (!ret && !(r.flags & FSD_READDIR_EOF));
	return ret;
}

#define RACES_MAX 4

int listing_load(struct inode *dir, bool fresh)
{
	struct gofer_inode *gi = gofer_i(dir);
	int ret;

	if (gi->listing && !fresh) {
		list_del(&gi->listing->lru);
		list_add_tail(&lru, &gi->listing->lru);
		return 0;
	}
	for (unsigned tries = 0;; tries++) {
		uint64_t version = dir->version;
		struct listing *l = listing_alloc(dir);

		if (!l)
			return -ENOMEM;
		l->fat = fat_credit > 0;
		if (fat_credit)
			fat_credit--;
		ret = fetch(dir, l);
		if (ret < 0) {
			listing_destroy(l);
			return ret;
		}
		/* Another task changed the directory while we read it (or read it too). */
		if (dir->version != version && tries < RACES_MAX) {
			listing_destroy(l);
			continue;
		}
		if (gi->listing && !fresh) {
			listing_destroy(l);
			return 0;
		}
		listing_install(dir, l);
		return 0;
	}
}

bool listing_known_empty(const struct inode *dir)
{
	const struct listing *l = gofer_i(dir)->listing;

	return l && l->list.count == l->list.dead && !listing_doubted(dir);
}

bool listing_doubted(const struct inode *dir)
{
	const struct listing *l = gofer_i(dir)->listing;

	return l && doubt_since(dir->sb, l->stamp);
}

void listing_new_empty(struct inode *dir)
{
	struct listing *l = listing_alloc(dir);

	if (l)
		listing_install(dir, l);
}

const struct fsd_attr *listing_take_attr(struct inode *dir, struct namelist_entry *e)
{
	struct listing *l = gofer_i(dir)->listing;
	const struct fsd_attr *a;

	if (!e->attr)
		return NULL;
	a = &l->attrs[e->attr - 1];
	e->attr = 0;
	/* Other names of the file may have changed it since. */
	if (a->nlink > 1 && !S_ISDIR(a->mode))
		return NULL;
	if (++l->taken == WANT_FAT && l->fat)
		fat_credit = FAT_CREDIT;
	return a;
}

const struct fsd_attr *listing_peek_attr(const struct listing *l, const struct namelist_entry *e)
{
	return e->attr ? &l->attrs[e->attr - 1] : NULL;
}

uint32_t listing_index(const struct listing *l, const struct namelist_entry *e)
{
	return (uint32_t)(e - l->list.entries);
}

bool listing_fat_credit(void)
{
	return fat_credit > 0;
}

bool listing_from_reply(struct inode *dir, const struct gofer_call *c, bool fat)
{
	struct listing *l = listing_alloc(dir);
	struct fsd_dir_reader r;

	if (!l)
		return false;
	l->fat = fat;
	if (add_message(l, c, &r) < 0 || !(r.flags & FSD_READDIR_EOF)) {
		listing_destroy(l);
		return false;
	}
	if (fat && fat_credit)
		fat_credit--;
	gofer_stats.readdirs++;
	gofer_set_node(dir, r.node);
	listing_install(dir, l);
	return true;
}

bool listing_want_attr(struct inode *dir, const char *name, size_t size)
{
	struct listing *l = gofer_i(dir)->listing, *old;
	struct namelist_entry *e;
	uint64_t version = dir->version;

	if (l->fat || ++l->wanted < WANT_FAT || l->list.count < WANT_FAT + 2)
		return false;
	fat_credit = FAT_CREDIT;
	/* Positions must not change under an open directory: attributes go into the old listing. */
	l = listing_alloc(dir);
	if (!l)
		return false;
	l->fat = true;
	if (fetch(dir, l) < 0 || dir->version != version || !gofer_i(dir)->listing) {
		listing_destroy(l);
		return false;
	}
	old = gofer_i(dir)->listing;
	if (!old->fat) {
		old->fat = true;
		free(old->attrs);
		old->attrs = STEAL_PTR(l->attrs);
		old->attr_count = l->attr_count;
		old->attr_capacity = l->attr_capacity;
		l->attr_capacity = 0;
		for (uint32_t i = 0; i < old->list.count; i++) {
			struct namelist_entry *oe = &old->list.entries[i];
			struct namelist_entry *ne = listing_find(l, namelist_name(&old->list, oe), oe->name_size);

			oe->attr = !oe->dead && ne && ne->ino == oe->ino ? ne->attr : 0;
		}
		drop_known_attrs(dir, old);
		account(old);
	}
	listing_destroy(l);
	e = listing_find(old, name, size);
	return e && e->attr;
}

void listing_add(struct inode *dir, const char *name, size_t size, uint64_t ino, unsigned type)
{
	struct listing *l = gofer_i(dir)->listing;

	dir->version++;
	if (!l)
		return;
	listing_remove(dir, name, size);
	if (append(l, name, size, ino, type, NULL) < 0)
		listing_free(dir);
	else
		account(l);
}

void listing_remove(struct inode *dir, const char *name, size_t size)
{
	struct listing *l = gofer_i(dir)->listing;
	struct namelist_entry *e = l ? listing_find(l, name, size) : NULL;

	dir->version++;
	if (!e)
		return;
	namelist_remove(&l->list, e);
	if (l->list.dead > 64 && l->list.dead > l->list.count / 2 && !gofer_i(dir)->opens)
		namelist_compact(&l->list);
}

uint64_t listing_size(const struct listing *l)
{
	return l->list.count;
}

const struct namelist_entry *listing_at(const struct listing *l, uint64_t i, const char **ret_name)
{
	*ret_name = namelist_name(&l->list, &l->list.entries[i]);
	return &l->list.entries[i];
}
