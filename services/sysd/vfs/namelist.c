#include "services/sysd/vfs/namelist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "services/sysd/vfs/dentry.h"

#define CAPACITY_MIN 16u
#define ENTRIES_MAX (1u << 22)

int array_reserve(void *array, uint32_t *capacity, uint32_t need, size_t item)
{
	uint32_t n = *capacity ? *capacity : CAPACITY_MIN;
	void *p;

	if (need <= *capacity)
		return 0;
	while (n < need)
		n *= 2;
	p = realloc(*(void **)array, n * item);
	if (!p)
		return -ENOMEM;
	*(void **)array = p;
	*capacity = n;
	return 0;
}

void namelist_done(struct namelist *l)
{
	free(l->entries);
	free(l->names);
	free(l->buckets);
	*l = (struct namelist){0};
}

static void chain(struct namelist *l, uint32_t i)
{
	struct namelist_entry *e = &l->entries[i];
	uint32_t b = e->hash & (l->bucket_count - 1);

	e->next = l->buckets[b];
	l->buckets[b] = i + 1;
}

static void rehash(struct namelist *l)
{
	memset(l->buckets, 0, l->bucket_count * sizeof(*l->buckets));
	for (uint32_t i = 0; i < l->count; i++)
		if (!l->entries[i].dead)
			chain(l, i);
}

static int reserve_buckets(struct namelist *l)
{
	uint32_t n = l->bucket_count ? l->bucket_count * 4 : CAPACITY_MIN, *p;

	if (l->count < l->bucket_count)
		return 0;
	p = realloc(l->buckets, n * sizeof(*p));
	if (!p)
		return -ENOMEM;
	l->buckets = p;
	l->bucket_count = n;
	rehash(l);
	return 0;
}

int namelist_add(struct namelist *l, const char *name, size_t size, uint64_t ino, unsigned type,
		 struct namelist_entry **ret)
{
	if (l->count >= ENTRIES_MAX || array_reserve(&l->entries, &l->capacity, l->count + 1, sizeof(*l->entries)) < 0 ||
	    array_reserve(&l->names, &l->names_capacity, l->names_size + (uint32_t)size + 1, 1) < 0 ||
	    reserve_buckets(l) < 0)
		return -ENOMEM;
	l->entries[l->count] = (struct namelist_entry){
		.ino = ino,
		.name_off = l->names_size,
		.name_size = (uint16_t)size,
		.type = (uint8_t)type,
		.hash = d_hash_name(name, size),
	};
	memcpy(l->names + l->names_size, name, size);
	l->names[l->names_size + size] = 0;
	l->names_size += (uint32_t)size + 1;
	chain(l, l->count);
	if (ret)
		*ret = &l->entries[l->count];
	l->count++;
	return 0;
}

struct namelist_entry *namelist_find(const struct namelist *l, const char *name, size_t size)
{
	uint32_t h, i;

	if (!l->bucket_count)
		return NULL;
	h = d_hash_name(name, size);
	for (i = l->buckets[h & (l->bucket_count - 1)]; i; i = l->entries[i - 1].next) {
		struct namelist_entry *e = &l->entries[i - 1];

		if (!e->dead && e->hash == h && e->name_size == size && !memcmp(l->names + e->name_off, name, size))
			return e;
	}
	return NULL;
}

void namelist_remove(struct namelist *l, struct namelist_entry *e)
{
	e->dead = true;
	l->dead++;
}

void namelist_compact(struct namelist *l)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < l->count; i++)
		if (!l->entries[i].dead)
			l->entries[kept++] = l->entries[i];
	l->count = kept;
	l->dead = 0;
	if (l->bucket_count)
		rehash(l);
}

size_t namelist_memory(const struct namelist *l)
{
	return l->capacity * sizeof(*l->entries) + l->names_capacity + l->bucket_count * sizeof(*l->buckets);
}
