/* The settings of the stack: a table from sysctl.def. */
#include "netd/core/sysctl.h"

#include "netd/core/stack_priv.h"

static const struct net_sysctl_info table[NET_SYSCTL_COUNT] = {
#define SYSCTL(id, path, min, max, init) [NET_SYSCTL_##id] = {path, min, max, init},
#include "netd/core/sysctl.def"
#undef SYSCTL
};

void sysctl_init(struct netstack *st)
{
	for (unsigned i = 0; i < NET_SYSCTL_COUNT; i++)
		st->sysctl[i] = table[i].init;
}

const struct net_sysctl_info *net_sysctl_info(enum net_sysctl id)
{
	return (unsigned)id < NET_SYSCTL_COUNT ? &table[id] : NULL;
}

int net_sysctl_find(const char *path)
{
	for (unsigned i = 0; i < NET_SYSCTL_COUNT; i++) {
		if (!strcmp(table[i].path, path))
			return (int)i;
	}
	return -ENOENT;
}

int64_t net_sysctl(const struct netstack *st, enum net_sysctl id)
{
	return st->sysctl[id];
}

int net_sysctl_set(struct netstack *st, enum net_sysctl id, int64_t value)
{
	if ((unsigned)id >= NET_SYSCTL_COUNT || value < table[id].min || value > table[id].max)
		return -EINVAL;
	st->sysctl[id] = value;
	return 0;
}
