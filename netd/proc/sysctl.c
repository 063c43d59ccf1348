/* /proc/sys/net: files of one or several numbers out of the stack's table, conf/IF/ of each interface, and the few that
 * are words. */
#include <stdio.h>

#include "common/base/util.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/core/sysctl.h"
#include "netd/proc/private.h"

#define NUMBERS_MAX 8

static const char *const congestion_names[] = {"cubic", "reno"};

/* The numbers of a file: its own path, or path:0, path:1... How many. */
static unsigned find(const char *name, int ids[NUMBERS_MAX])
{
	char path[160];
	unsigned n = 0;

	ids[0] = net_sysctl_find(name);
	if (ids[0] >= 0)
		return 1;
	while (n < NUMBERS_MAX) {
		if ((size_t)snprintf(path, sizeof(path), "%s:%u", name, n) >= sizeof(path))
			return 0;
		ids[n] = net_sysctl_find(path);
		if (ids[n] < 0)
			break;
		n++;
	}
	return n;
}

/* "ipv4/conf/eth0/rp_filter": the interface and the number of the setting. */
static struct netif *find_conf(struct netstack *st, const char *name, int *ret_id)
{
	const char *rest, *slash;
	char ifname[16];
	int family;

	if (!strncmp(name, "ipv4/conf/", 10))
		family = 4;
	else if (!strncmp(name, "ipv6/conf/", 10))
		family = 6;
	else
		return NULL;
	rest = name + 10;
	slash = strchr(rest, '/');
	if (!slash || (size_t)(slash - rest) >= sizeof(ifname))
		return NULL;
	memcpy(ifname, rest, (size_t)(slash - rest));
	ifname[slash - rest] = 0;
	*ret_id = netif_conf_find(family, slash + 1);
	return *ret_id < 0 ? NULL : netif_by_name(st, ifname);
}

static bool is_congestion(const char *name)
{
	return !strcmp(name, "ipv4/tcp_congestion_control");
}

int netproc_sysctl_read(struct netstack *st, const char *name, struct text *out)
{
	int ids[NUMBERS_MAX], conf;
	unsigned n = find(name, ids);
	struct netif *nif;

	*out = (struct text){0};
	if (is_congestion(name) && n) {
		int64_t which = net_sysctl(st, (enum net_sysctl)ids[0]);

		text_printf(out, "%s\n", which >= 0 && which < 2 ? congestion_names[which] : "cubic");
	} else if (!strcmp(name, "ipv4/tcp_available_congestion_control") ||
		   !strcmp(name, "ipv4/tcp_allowed_congestion_control")) {
		text_printf(out, "reno cubic\n");
	} else if (!strcmp(name, "core/default_qdisc")) {
		text_printf(out, "noqueue\n");
	} else if (n) {
		for (unsigned i = 0; i < n; i++)
			text_printf(out, "%s%lld", i ? "\t" : "",
				    (long long)net_sysctl(st, (enum net_sysctl)ids[i]));
		text_printf(out, "\n");
	} else if ((nif = find_conf(st, name, &conf))) {
		text_printf(out, "%lld\n", (long long)nif->conf[conf]);
	} else {
		return -ENOENT;
	}
	return out->failed ? -ENOMEM : 0;
}

/* The numbers that a program wrote; fewer than there are leave the rest. -EINVAL. */
static int parse(const char *text, unsigned max, int64_t *v)
{
	unsigned n = 0;

	for (;;) {
		char *end;

		text += strspn(text, " \t\n");
		if (!*text)
			return n ? (int)n : -EINVAL;
		if (n == max)
			return -EINVAL;
		errno = 0;
		v[n++] = strtoll(text, &end, 0);
		if (errno || end == text || (*end && !strchr(" \t\n", *end)))
			return -EINVAL;
		text = end;
	}
}

/* A value of conf/all counts for the interfaces that are there, where Linux does it so. */
static void spread(struct netstack *st, const char *name, int64_t value)
{
	static const char *const all[] = {"forwarding", "disable_ipv6", "accept_redirects"};
	const char *file = strrchr(name, '/');
	int family = !strncmp(name, "ipv4/conf/all/", 14) ? 4 : !strncmp(name, "ipv6/conf/all/", 14) ? 6 : 0;

	for (size_t i = 0; family && file && i < ARRAY_SIZE(all); i++) {
		int id = strcmp(file + 1, all[i]) ? -1 : netif_conf_find(family, all[i]);

		for (struct netif *nif = id >= 0 ? netif_next(st, NULL) : NULL; nif; nif = netif_next(st, nif))
			netif_conf_set(nif, (enum netif_conf)id, value);
	}
}

int netproc_sysctl_write(struct netstack *st, const char *name, const char *value, size_t size)
{
	int ids[NUMBERS_MAX], conf, count;
	unsigned n = find(name, ids);
	struct netif *nif = n ? NULL : find_conf(st, name, &conf);
	int64_t v[NUMBERS_MAX];
	char text[256];

	if (!n && !nif)
		return -ENOENT;
	if (size >= sizeof(text))
		return -EINVAL;
	memcpy(text, value, size);
	text[size] = 0;
	if (is_congestion(name)) {
		text[strcspn(text, " \t\n")] = 0;
		for (size_t i = 0; i < ARRAY_SIZE(congestion_names); i++)
			if (!strcmp(text, congestion_names[i]))
				return net_sysctl_set(st, (enum net_sysctl)ids[0], (int64_t)i);
		return -ENOENT;
	}
	count = parse(text, n ? n : 1, v);
	if (count < 0)
		return count;
	if (nif)
		return netif_conf_set(nif, (enum netif_conf)conf, v[0]);
	for (int i = 0; i < count; i++) {
		const struct net_sysctl_info *info = net_sysctl_info((enum net_sysctl)ids[i]);

		if (v[i] < info->min || v[i] > info->max)
			return -EINVAL;
	}
	for (int i = 0; i < count; i++)
		net_sysctl_set(st, (enum net_sysctl)ids[i], v[i]);
	spread(st, name, v[0]);
	return 0;
}

void show_sysctl(struct netstack *st, struct text *out)
{
	static const char *const conf[] = {
#define CONF(id, family, file) "ipv" #family "/conf/%s/" #file "\n",
#include "netd/core/conf.def"
#undef CONF
	};
	const struct net_sysctl_info *info;

	text_printf(out, "ipv4/tcp_available_congestion_control\nipv4/tcp_allowed_congestion_control\ncore/default_qdisc\n");
	for (unsigned i = 0; (info = net_sysctl_info((enum net_sysctl)i)); i++) {
		const char *colon = strchr(info->path, ':');

		if (!colon)
			text_printf(out, "%s\n", info->path);
		else if (!strcmp(colon, ":0"))
			text_printf(out, "%.*s\n", (int)(colon - info->path), info->path);
	}
	for (struct netif *nif = netif_next(st, NULL); nif; nif = netif_next(st, nif)) {
		for (size_t i = 0; i < ARRAY_SIZE(conf); i++) {
			size_t before = strstr(conf[i], "%s") - conf[i];

			text_printf(out, "%.*s%s%s", (int)before, conf[i], nif->name, conf[i] + before + 2);
		}
	}
}
