/* Per-user counters. There are few users: a list serves. */
#include "services/sysd/task/ucount.h"
#include "common/base/util.h"

static struct list all = LIST_INIT(all);

struct ucount *ucount_get(uint32_t uid)
{
	struct ucount *u;

	LIST_FOR_EACH (u, &all, node)
		if (u->uid == uid)
			return ucount_ref(u);
	u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	u->refs = 1;
	u->uid = uid;
	list_add(&all, &u->node);
	return u;
}

struct ucount *ucount_ref(struct ucount *u)
{
	u->refs++;
	return u;
}

void ucount_unref(struct ucount *u)
{
	if (!u || --u->refs)
		return;
	list_del(&u->node);
	free(u);
}
