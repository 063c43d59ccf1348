/* Network namespaces and the table of families. */
#include "services/sysd/net/net_ns.h"

#include <stdlib.h>

#include "services/sysd/net/family.h"
#include "services/sysd/task/nsproxy.h"

/* Weak: a unit test may leave the Internet families out. */
void netd_ns_gone(struct net_ns *ns) __attribute__((weak));

#include "common/base/util.h"

static struct net_ns *initial;
static const struct net_family *families[NET_FAMILY_MAX];

#define FIRST_ID 0xf0000098u /* numbers like those of nsfs inodes */

struct net_ns *net_ns_new(void)
{
	static uint64_t last_id = FIRST_ID;
	struct net_ns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ns->refs = 1;
	ns->initial = last_id == FIRST_ID;
	if (ns->initial)
		initial = ns;
	ns->id = last_id++;
	ns->unix_dgram_qlen = 10;
	for (size_t i = 0; i < ARRAY_SIZE(ns->unix_names); i++)
		list_init(&ns->unix_names[i]);
	return ns;
}

struct net_ns *net_ns_initial(void)
{
	return initial;
}

struct net_ns *net_ns_ref(struct net_ns *ns)
{
	ns->refs++;
	return ns;
}

void net_ns_unref(struct net_ns *ns)
{
	if (!ns || --ns->refs)
		return;
	if (netd_ns_gone)
		netd_ns_gone(ns);
	free(ns);
}

void net_family_register(const struct net_family *f)
{
	families[f->family] = f;
}

const struct net_family *net_family_find(int family)
{
	return family >= 0 && family < NET_FAMILY_MAX ? families[family] : NULL;
}
