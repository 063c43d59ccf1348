/* /sys/class/net: the interfaces of the sandbox's own network namespace, whose attributes netd prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/util.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/fs/proc/seqbuf.h"
#include "services/sysd/fs/sysfs/net.h"
#include "services/sysd/fs/sysfs/tree.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/net/netfiles.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"

static struct net_ns *space;

static const char *const attributes[] = {
	"addr_assign_type", "addr_len", "address", "broadcast", "carrier", "carrier_changes", "dev_id", "dev_port",
	"dormant", "duplex", "flags", "ifalias", "ifindex", "iflink", "link_mode", "mtu", "netdev_group", "operstate",
	"proto_down", "speed", "tx_queue_len", "type", "uevent",
};
static const char *const statistics[] = {
	"collisions", "multicast", "rx_bytes", "rx_compressed", "rx_crc_errors", "rx_dropped", "rx_errors",
	"rx_fifo_errors", "rx_frame_errors", "rx_length_errors", "rx_missed_errors", "rx_nohandler",
	"rx_over_errors", "rx_packets", "tx_aborted_errors", "tx_bytes", "tx_carrier_errors", "tx_compressed",
	"tx_dropped", "tx_errors", "tx_fifo_errors", "tx_heartbeat_errors", "tx_packets", "tx_window_errors",
};

static int show(struct seqbuf *s, const struct tree_node *n)
{
	char name[96];
	bool counter = !strcmp(n->parent->name, "statistics");
	const struct tree_node *link = counter ? n->parent->parent : n->parent;

	snprintf(name, sizeof(name), "class/%s/%s%s", link->name, counter ? "statistics/" : "", n->name);
	return netfiles_show(space, name, s);
}

static void add_link(struct tree_node *root, const char *name)
{
	char path[128], *target;

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		snprintf(path, sizeof(path), "devices/virtual/net/%s/%s", name, attributes[i]);
		tree_file(root, path, show, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(statistics); i++) {
		snprintf(path, sizeof(path), "devices/virtual/net/%s/statistics/%s", name, statistics[i]);
		tree_file(root, path, show, 0);
	}
	snprintf(path, sizeof(path), "devices/virtual/net/%s/queues/rx-0/rps_cpus", name);
	tree_text(root, path, "0\n");
	snprintf(path, sizeof(path), "devices/virtual/net/%s/subsystem", name);
	tree_link(root, path, "../../../../class/net");
	snprintf(path, sizeof(path), "class/net/%s", name);
	if (asprintf(&target, "../../devices/virtual/net/%s", name) >= 0)
		tree_link(root, path, target); /* nodes live for ever, and their targets with them */
}

void sysfs_add_net(struct tree_node *root, struct net_ns *ns)
{
	struct seqbuf s = {0};
	char *p, *save = NULL;

	if (space || !ns || !sched_current())
		return;
	space = net_ns_ref(ns);
	if (netfiles_show(ns, "class", &s) == 0) {
		seq_putc(&s, 0);
		for (p = s.failed ? NULL : strtok_r(s.buf, "\n", &save); p; p = strtok_r(NULL, "\n", &save))
			add_link(root, p);
	}
	seq_done(&s);
}
