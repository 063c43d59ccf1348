/* Credentials: their life, and what they allow. */
#include "services/sysd/task/cred.h"
#include <linux/capability.h>
#include "common/base/util.h"
#include "services/sysd/task/internal.h"
#include "services/sysd/task/cred_internal.h"

struct cred *cred_ref(struct cred *c)
{
	c->refs++;
	return c;
}

void cred_unref(struct cred *c)
{
	if (!c || --c->refs)
		return;
	groups_unref(c->groups);
	free(c);
}

struct cred *cred_dup(const struct cred *c)
{
	struct cred *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *c;
	copy->refs = 1;
	if (copy->groups)
		copy->groups->refs++;
	return copy;
}

struct group_info *groups_new(size_t count)
{
	struct group_info *g = malloc(sizeof(*g) + count * sizeof(g->gid[0]));

	if (g) {
		g->refs = 1;
		g->count = count;
	}
	return g;
}

void groups_unref(struct group_info *g)
{
	if (g && --g->refs == 0)
		free(g);
}

/* commit_creds: whoever changed identity may not be looked into by the old one. */
static void identity_changed(struct task *t, const struct cred *old, const struct cred *c)
{
	if (old->euid == c->euid && old->egid == c->egid && old->fsuid == c->fsuid &&
	    old->fsgid == c->fsgid && !(c->cap_permitted & ~old->cap_permitted))
		return;
	t->signal->dumpable = false;
	t->pdeath_signal = 0;
}

void task_set_cred_quiet(struct task *t, struct cred *c)
{
	struct cred *old = t->cred;

	t->cred = c;
	if (old && old->uid != c->uid && t->ucount) {
		struct ucount *u = ucount_get(c->uid);

		/* without memory the old user goes on being charged */
		if (u) {
			t->ucount->processes--;
			ucount_unref(t->ucount);
			t->ucount = u;
			u->processes++;
		}
	}
	cred_unref(old);
	hthread_publish_ids(t);
}

void task_set_cred(struct task *t, struct cred *c)
{
	if (t->cred && t->signal)
		identity_changed(t, t->cred, c);
	task_set_cred_quiet(t, c);
}

static int compare_gid(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void groups_sort(struct group_info *g)
{
	qsort(g->gid, g->count, sizeof(g->gid[0]), compare_gid);
}

bool cred_in_group(const struct cred *c, uint32_t gid)
{
	size_t low = 0, high;

	if (c->fsgid == gid)
		return true;
	if (!c->groups)
		return false;
	/* few groups as a rule, and a caller may have made them without sorting */
	high = c->groups->count;
	for (; low < high; low++)
		if (c->groups->gid[low] == gid)
			return true;
	return false;
}

bool cred_capable(const struct cred *c, int cap)
{
	return cap >= 0 && cap <= CAP_LAST && c->cap_effective >> cap & 1;
}

bool capable(const struct task *t, int cap)
{
	return cred_capable(t->cred, cap);
}
