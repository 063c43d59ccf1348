/* See slots.h. A set is in use by a process (in no list), free for the next fork, or given to memd for
 * a blank process. */
#include "services/sysd/platform/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "common/base/list.h"
#include "common/base/util.h"

#define FREE_MAX 4  /* for forks; a fork bomb's end leaves no more behind */
#define GIVEN_MAX 4 /* for blanks: memd's pool */
#define KEPT_MAX (4 * SBX_PAGE_SIZE)

struct slots {
	struct list node; /* free_sets or given_sets */
	uint64_t id;
	struct sbx_slot *memory;
};

static struct list free_sets = LIST_INIT(free_sets), given_sets = LIST_INIT(given_sets);
static unsigned free_count, given_count;
static void (*give_away)(uint64_t id, bool for_blank);

void slots_init(void (*give)(uint64_t id, bool for_blank))
{
	give_away = give;
}

int slots_new(uint64_t id, int fd, struct slots **ret_set)
{
	CLEANUP_CLOSE int owned = fd;
	struct slots *set = calloc(1, sizeof(*set));
	void *p;

	if (!set)
		return -ENOMEM;
	p = mmap(NULL, SBX_SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, owned, 0);
	if (p == MAP_FAILED) {
		int ret = -errno;

		free(set);
		return ret;
	}
	list_init(&set->node);
	set->id = id;
	set->memory = p;
	*ret_set = set;
	return 0;
}

struct sbx_slot *slots_memory(const struct slots *set)
{
	return set->memory;
}

uint64_t slots_id(const struct slots *set)
{
	return set->id;
}

static void forget(struct slots *set)
{
	munmap(set->memory, SBX_SLOTS_SIZE);
	free(set);
}

struct slots *slots_take(void)
{
	struct slots *set;

	if (list_empty(&free_sets))
		return NULL;
	set = LIST_FIRST(&free_sets, struct slots, node);
	list_del(&set->node);
	free_count--;
	return set;
}

struct slots *slots_take_given(uint64_t id)
{
	struct slots *set;

	LIST_FOR_EACH (set, &given_sets, node)
		if (set->id == id) {
			list_del(&set->node);
			given_count--;
			return set;
		}
	return NULL;
}

void slots_add(struct slots *set)
{
	list_add(&free_sets, &set->node);
	free_count++;
}

/* Most processes leave a page or two, all of them of one slot: they are wiped and stay. */
static bool wipe(struct slots *set, uint32_t index, uint64_t bytes)
{
	unsigned char resident[SBX_SLOT_STRIDE / SBX_PAGE_SIZE];
	char *slot = (char *)set->memory + index * SBX_SLOT_STRIDE;
	uint64_t found = 0;

	if (bytes > KEPT_MAX || mincore(slot, SBX_SLOT_STRIDE, resident) < 0)
		return false;
	for (size_t i = 0; i < sizeof(resident); i++)
		found += resident[i] & 1 ? SBX_PAGE_SIZE : 0;
	if (found != bytes)
		return false; /* there is something elsewhere */
	for (size_t i = 0; i < sizeof(resident); i++)
		if (resident[i] & 1)
			memset(slot + i * SBX_PAGE_SIZE, 0, SBX_PAGE_SIZE);
	return true;
}

void slots_put(struct slots *set, bool reusable, uint32_t index, uint64_t bytes)
{
	if (!set)
		return;
	/* What the last process left is nobody else's to read, and its memory is the sandbox's again. */
	bool clear = reusable && (wipe(set, index, bytes) || madvise(set->memory, SBX_SLOTS_SIZE, MADV_REMOVE) == 0);

	if (!clear || (free_count >= FREE_MAX && given_count >= GIVEN_MAX)) {
		if (reusable)
			give_away(set->id, false);
		forget(set);
	} else if (given_count < GIVEN_MAX && (free_count >= FREE_MAX || given_count < free_count)) {
		list_add_tail(&given_sets, &set->node);
		given_count++;
		give_away(set->id, true);
	} else {
		slots_add(set);
	}
}
