#ifndef SYSD_FS_SYSFS_NET_H
#define SYSD_FS_SYSFS_NET_H

struct net_ns;
struct tree_node;

/* Adds the interfaces of a namespace, once. May sleep. */
void sysfs_add_net(struct tree_node *root, struct net_ns *ns);

#endif
