/* Namespaces of a task. */
#ifndef SYSD_TASK_NSPROXY_H
#define SYSD_TASK_NSPROXY_H
#include <stdint.h>
struct mnt_ns;
struct ipc_ns;
struct net_ns;
struct pid_ns;
struct uts_ns {
	unsigned refs;
	uint64_t id;
	char hostname[65], domainname[65];
};
struct nsproxy {
	unsigned refs;
	struct uts_ns *uts;
	struct mnt_ns *mnt;
	struct ipc_ns *ipc;   /* ipc/ipc_ns.h */
	struct net_ns *net;   /* net/net_ns.h */
	struct pid_ns *pid;
};
struct nsproxy *nsproxy_new(void);
struct nsproxy *nsproxy_ref(struct nsproxy *ns);
struct nsproxy *nsproxy_dup(const struct nsproxy *ns);
void nsproxy_unref(struct nsproxy *ns);
struct task;
/* May t make what clone's and unshare's CLONE_NEW* flags ask for? 0, -EPERM or -EINVAL. */
int nsproxy_check_flags(struct task *t, uint64_t flags);
/* The namespaces of a new child (its fs is set), and unshare(2) of t's own. Sleep. */
int nsproxy_copy(struct task *t, struct task *child, uint64_t flags);
int nsproxy_unshare(struct task *t, uint64_t flags);
/* A copy of old with those that flags name taken from another (setns(2)); NULL: no memory. */
struct nsproxy *nsproxy_join(const struct nsproxy *old, const struct nsproxy *from, uint64_t flags);
/* The inode number of a new namespace. */
uint64_t ns_id_new(void);
struct ipc_ns *ipc_ns_new(void);
struct ipc_ns *ipc_ns_ref(struct ipc_ns *ns);
void ipc_ns_unref(struct ipc_ns *ns);
struct net_ns *net_ns_new(void);
struct net_ns *net_ns_ref(struct net_ns *ns);
void net_ns_unref(struct net_ns *ns);
#endif
