/* A hash of fixed entries with a list in order of use. */
#include "services/sysd/mm/fdcache.h"

#include "common/base/list.h"

struct entry {
	struct list lru, hash;
	uint64_t id;
};
static struct entry entries[FDCACHE_MAX];
static struct list lru = LIST_INIT(lru), unused = LIST_INIT(unused), buckets[FDCACHE_MAX];
static bool ready;

static struct list *bucket(uint64_t id)
{
	return &buckets[id % FDCACHE_MAX];
}

static void prepare(void)
{
	if (ready)
		return;
	for (int i = 0; i < FDCACHE_MAX; i++) {
		list_init(&buckets[i]);
		list_init(&entries[i].hash);
		list_add_tail(&unused, &entries[i].lru);
	}
	ready = true;
}

static struct entry *find(uint64_t id)
{
	struct entry *e;

	LIST_FOR_EACH(e, bucket(id), hash)
		if (e->id == id)
			return e;
	return NULL;
}

bool fdcache_use(uint64_t object_id, uint64_t *ret_evicted)
{
	struct entry *e;

	prepare();
	e = find(object_id);
	if (e) {
		list_del(&e->lru);
		list_add_tail(&lru, &e->lru);
		return true;
	}
	if (list_empty(&unused)) {
		e = LIST_FIRST(&lru, struct entry, lru);
		*ret_evicted = e->id;
		list_del(&e->hash);
	} else {
		e = LIST_FIRST(&unused, struct entry, lru);
	}
	list_del(&e->lru);
	e->id = object_id;
	list_add_tail(&lru, &e->lru);
	list_add(bucket(object_id), &e->hash);
	return false;
}

bool fdcache_forget(uint64_t object_id)
{
	struct entry *e;

	prepare();
	e = find(object_id);
	if (!e)
		return false;
	list_del(&e->hash);
	list_del(&e->lru);
	list_add(&unused, &e->lru);
	return true;
}
