/* Namespaces: the set that a task has. */
#include "services/sysd/task/nsproxy.h"
#include <linux/capability.h>
#include "common/base/util.h"
#include "services/sysd/abi/clone.h"
#include "services/sysd/task/internal.h"
#include "services/sysd/vfs/mount.h"

struct ipc_ns *ipc_ns_new(void) __attribute__((weak));
struct ipc_ns *ipc_ns_ref(struct ipc_ns *ns) __attribute__((weak));
void ipc_ns_unref(struct ipc_ns *ns) __attribute__((weak));
struct net_ns *net_ns_new(void) __attribute__((weak));
struct net_ns *net_ns_ref(struct net_ns *ns) __attribute__((weak));
void net_ns_unref(struct net_ns *ns) __attribute__((weak));

#define NEW_FLAGS                                                                              \
	(ABI_CLONE_NEWNS | ABI_CLONE_NEWUTS | ABI_CLONE_NEWIPC | ABI_CLONE_NEWUSER |           \
	 ABI_CLONE_NEWPID | ABI_CLONE_NEWNET | ABI_CLONE_NEWCGROUP | ABI_CLONE_NEWTIME)

static uint64_t next_ns_id = 0xf0000001u;

uint64_t ns_id_new(void)
{
	return next_ns_id++;
}

static struct uts_ns *uts_new(void)
{
	struct uts_ns *uts = calloc(1, sizeof(*uts));

	if (!uts)
		return NULL;
	uts->refs = 1;
	uts->id = ns_id_new();
	strcpy(uts->hostname, "sbx");
	strcpy(uts->domainname, "(none)");
	return uts;
}

static struct uts_ns *uts_dup(const struct uts_ns *from)
{
	struct uts_ns *uts = malloc(sizeof(*uts));

	if (!uts)
		return NULL;
	*uts = *from;
	uts->refs = 1;
	uts->id = ns_id_new();
	return uts;
}

static void uts_unref(struct uts_ns *uts)
{
	if (uts && --uts->refs == 0)
		free(uts);
}

struct nsproxy *nsproxy_new(void)
{
	struct nsproxy *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ns->refs = 1;
	ns->uts = uts_new();
	if (ipc_ns_new)
		ns->ipc = ipc_ns_new();
	if (net_ns_new)
		ns->net = net_ns_new();
	if (!ns->uts || (ipc_ns_new && !ns->ipc) || (net_ns_new && !ns->net)) {
		nsproxy_unref(ns);
		return NULL;
	}
	return ns;
}

struct nsproxy *nsproxy_ref(struct nsproxy *ns)
{
	ns->refs++;
	return ns;
}

void nsproxy_unref(struct nsproxy *ns)
{
	if (!ns || --ns->refs)
		return;
	uts_unref(ns->uts);
	if (ns->mnt)
		mnt_ns_unref(ns->mnt);
	if (ns->ipc && ipc_ns_unref)
		ipc_ns_unref(ns->ipc);
	if (ns->net && net_ns_unref)
		net_ns_unref(ns->net);
	free(ns);
}

struct nsproxy *nsproxy_dup(const struct nsproxy *from)
{
	struct nsproxy *ns = malloc(sizeof(*ns));

	if (!ns)
		return NULL;
	*ns = *from;
	ns->refs = 1;
	ns->uts->refs++;
	if (ns->mnt)
		mnt_ns_ref(ns->mnt);
	if (ns->ipc && ipc_ns_ref)
		ipc_ns_ref(ns->ipc);
	if (ns->net && net_ns_ref)
		net_ns_ref(ns->net);
	return ns;
}

int nsproxy_check_flags(struct task *t, uint64_t flags)
{
	/* There is one user, pid and time namespace: what asks for another gets the answer of a kernel
	 * built without them. */
	if (flags & (ABI_CLONE_NEWUSER | ABI_CLONE_NEWPID | ABI_CLONE_NEWTIME))
		return capable(t, CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	if (flags & NEW_FLAGS && !capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	if ((flags & ABI_CLONE_NEWIPC && !ipc_ns_new) || (flags & ABI_CLONE_NEWNET && !net_ns_new))
		return -EINVAL;
	return 0;
}

/* Replaces what flags name in a private nsproxy. On failure the caller drops ns. */
static int make_new(struct task *t, struct nsproxy *ns, uint64_t flags)
{
	if (flags & ABI_CLONE_NEWUTS) {
		struct uts_ns *uts = uts_dup(ns->uts);

		if (!uts)
			return -ENOMEM;
		uts_unref(ns->uts);
		ns->uts = uts;
	}
	if (flags & ABI_CLONE_NEWIPC) {
		struct ipc_ns *ipc = ipc_ns_new();

		if (!ipc)
			return -ENOMEM;
		if (ns->ipc)
			ipc_ns_unref(ns->ipc);
		ns->ipc = ipc;
	}
	if (flags & ABI_CLONE_NEWNET) {
		struct net_ns *net = net_ns_new();

		if (!net)
			return -ENOMEM;
		if (ns->net)
			net_ns_unref(ns->net);
		ns->net = net;
	}
	if (flags & ABI_CLONE_NEWNS && ns->mnt) {
		/* moves t's root and working directory into the copy */
		struct mnt_ns *mnt = mnt_ns_dup(ns->mnt, t);

		if (!mnt)
			return -ENOMEM;
		mnt_ns_unref(ns->mnt);
		ns->mnt = mnt;
	}
	return 0;
}

int nsproxy_copy(struct task *t, struct task *child, uint64_t flags)
{
	struct nsproxy *ns;
	int ret;

	if (!(flags & (ABI_CLONE_NEWNS | ABI_CLONE_NEWUTS | ABI_CLONE_NEWIPC | ABI_CLONE_NEWNET))) {
		child->ns = nsproxy_ref(t->ns);
		return 0;
	}
	ns = nsproxy_dup(t->ns);
	if (!ns)
		return -ENOMEM;
	ret = make_new(child, ns, flags);
	if (ret < 0) {
		nsproxy_unref(ns);
		return ret;
	}
	child->ns = ns;
	return 0;
}

int nsproxy_unshare(struct task *t, uint64_t flags)
{
	struct nsproxy *ns;
	int ret;

	if (!(flags & (ABI_CLONE_NEWNS | ABI_CLONE_NEWUTS | ABI_CLONE_NEWIPC | ABI_CLONE_NEWNET)))
		return 0;
	ns = nsproxy_dup(t->ns);
	if (!ns)
		return -ENOMEM;
	ret = make_new(t, ns, flags);
	if (ret < 0) {
		nsproxy_unref(ns);
		return ret;
	}
	nsproxy_unref(t->ns);
	t->ns = ns;
	return 0;
}

struct nsproxy *nsproxy_join(const struct nsproxy *old, const struct nsproxy *from, uint64_t flags)
{
	struct nsproxy *ns = nsproxy_dup(old);

	if (!ns)
		return NULL;
	if (flags & ABI_CLONE_NEWUTS) {
		uts_unref(ns->uts);
		ns->uts = from->uts;
		ns->uts->refs++;
	}
	if (flags & ABI_CLONE_NEWIPC && from->ipc) {
		ipc_ns_unref(ns->ipc);
		ns->ipc = ipc_ns_ref(from->ipc);
	}
	if (flags & ABI_CLONE_NEWNET && from->net) {
		net_ns_unref(ns->net);
		ns->net = net_ns_ref(from->net);
	}
	if (flags & ABI_CLONE_NEWNS && from->mnt) {
		if (ns->mnt)
			mnt_ns_unref(ns->mnt);
		ns->mnt = mnt_ns_ref(from->mnt);
	}
	return ns;
}
