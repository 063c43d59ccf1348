/* /proc/net/netlink. */
#include "common/base/util.h"
#include "services/sysd/fs/proc/proc.h"
#include "services/sysd/net/netlink/netlink.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"

static PROC_SHOW(show_netlink)
{
	struct task *cur = current_task();
	struct net_ns *ns = t ? t->ns->net : cur ? cur->ns->net : NULL;
	struct netlink_sock *k;

	seq_puts(s, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n");
	LIST_FOR_EACH (k, netlink_all(), all) {
		if (k->s.ns != ns)
			continue;
		seq_printf(s, "%016d %-3d %-10u %08x %-8zu %-8d %-5d %-8u %-8d %-8llu\n", 0, k->s.protocol, k->port,
			   (uint32_t)k->groups, k->queue_bytes, 0, 0, k->s.refs, 0,
			   (unsigned long long)(k->s.file ? k->s.file->inode->ino : 0));
	}
	return 0;
}

__attribute__((constructor)) static void register_netlink(void)
{
	proc_net_register("netlink", show_netlink);
}
