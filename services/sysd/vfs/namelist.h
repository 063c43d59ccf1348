/* A list of names in the order in which they were added, found by name in constant time: what a file system
 * knows of a directory's content. A place in the list is a position of a directory stream: it does not change
 * until the list is compacted. */
#ifndef SYSD_VFS_NAMELIST_H
#define SYSD_VFS_NAMELIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct namelist_entry {
	uint64_t ino;
	uint32_t name_off;
	uint32_t hash, next;     /* next in the bucket, index + 1 */
	uint32_t attr;           /* the owner's, 0 at first */
	uint16_t name_size;
	uint8_t type;            /* DT_* */
	bool dead;               /* removed: keeps its place and is not found */
	bool marked;             /* the owner's, false at first */
};

/* All zero: empty. */
struct namelist {
	struct namelist_entry *entries;
	uint32_t count, capacity, dead;
	char *names;             /* each with a NUL behind it */
	uint32_t names_size, names_capacity;
	uint32_t *buckets, bucket_count;
};

void namelist_done(struct namelist *l);
/* The names are the caller's to keep apart. *ret (may be NULL) is valid until the next add. 0 or -ENOMEM. */
int namelist_add(struct namelist *l, const char *name, size_t size, uint64_t ino, unsigned type,
		 struct namelist_entry **ret);
struct namelist_entry *namelist_find(const struct namelist *l, const char *name, size_t size);
void namelist_remove(struct namelist *l, struct namelist_entry *e);
/* Drops dead entries; places change. */
void namelist_compact(struct namelist *l);
/* Bytes of memory. */
size_t namelist_memory(const struct namelist *l);

static inline const char *namelist_name(const struct namelist *l, const struct namelist_entry *e)
{
	return l->names + e->name_off;
}

/* Makes room for `need` items of an array that grows by doubling. 0 or -ENOMEM. */
int array_reserve(void *array, uint32_t *capacity, uint32_t need, size_t item);

#endif
