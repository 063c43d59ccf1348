/* IPC namespaces and what the System V objects share: ids, keys, permissions. */
#include <linux/capability.h>
#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/ipc/ipc_ns.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"

struct ipc_ns *ipc_ns_new(void)
{
	struct ipc_ns *ns = calloc(1, sizeof(*ns));

	if (ns) {
		ns->refs = 1;
		list_init(&ns->mqueues);
	}
	return ns;
}

struct ipc_ns *ipc_ns_ref(struct ipc_ns *ns)
{
	ns->refs++;
	return ns;
}

void ipc_ns_unref(struct ipc_ns *ns)
{
	if (!ns || --ns->refs)
		return;
	for (int k = 0; k < IPC_KINDS; k++) {
		struct ipc_ids *ids = &ns->ids[k];

		for (unsigned i = 0; i < ids->count; i++)
			if (ids->slot[i])
				ipc_remove(ids, ids->slot[i]);
		free(ids->slot);
		free(ids->seq);
	}
	mqueue_ns_free(ns);
	free(ns);
}

struct ipc_ns *ipc_ns_of(struct task *t)
{
	return t->ns->ipc;
}

static int grow(struct ipc_ids *ids)
{
	unsigned count = ids->count ? ids->count * 2 : 16;
	struct ipc_perm **slot;
	uint16_t *seq;

	if (ids->count >= IPC_ID_SLOTS)
		return -ENOSPC;
	slot = realloc(ids->slot, count * sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	ids->slot = slot;
	seq = realloc(ids->seq, count * sizeof(*seq));
	if (!seq)
		return -ENOMEM;
	ids->seq = seq;
	memset(slot + ids->count, 0, (count - ids->count) * sizeof(*slot));
	memset(seq + ids->count, 0, (count - ids->count) * sizeof(*seq));
	ids->count = count;
	return 0;
}

int ipc_add(struct ipc_ids *ids, struct ipc_perm *p, int32_t key, uint32_t mode, struct task *t,
	    unsigned max)
{
	unsigned i;

	if (ids->used >= MIN(max, (unsigned)IPC_ID_SLOTS))
		return -ENOSPC;
	for (i = 0; i < ids->count && ids->slot[i]; i++)
		;
	if (i == ids->count) {
		int err = grow(ids);

		if (err)
			return err;
	}
	p->refs = 1;
	p->key = key;
	p->mode = mode & 0777;
	p->uid = p->cuid = t->cred->euid;
	p->gid = p->cgid = t->cred->egid;
	p->id = (int32_t)((uint32_t)ids->seq[i] * IPC_ID_SLOTS + i);
	ids->seq[i] = (uint16_t)((ids->seq[i] + 1) & 0x7fff);
	ids->slot[i] = p;
	ids->used++;
	return 0;
}

struct ipc_perm *ipc_at(struct ipc_ids *ids, int slot)
{
	slot = slot < 0 ? -1 : slot % IPC_ID_SLOTS; /* a whole id serves too: it ends with its slot */
	return slot >= 0 && (unsigned)slot < ids->count ? ids->slot[slot] : NULL;
}

struct ipc_perm *ipc_find(struct ipc_ids *ids, int32_t id)
{
	struct ipc_perm *p = id < 0 ? NULL : ipc_at(ids, id % IPC_ID_SLOTS);

	return p && p->id == id ? p : NULL;
}

struct ipc_perm *ipc_find_key(struct ipc_ids *ids, int32_t key)
{
	for (unsigned i = 0; i < ids->count; i++)
		if (ids->slot[i] && ids->slot[i]->key == key && key != ABI_IPC_PRIVATE)
			return ids->slot[i];
	return NULL;
}

int ipc_highest(const struct ipc_ids *ids)
{
	for (unsigned i = ids->count; i > 0; i--)
		if (ids->slot[i - 1])
			return (int)i - 1;
	return 0;
}

void ipc_remove(struct ipc_ids *ids, struct ipc_perm *p)
{
	ids->slot[p->id % IPC_ID_SLOTS] = NULL;
	ids->used--;
	p->deleted = true;
	ipc_put(p);
}

struct ipc_perm *ipc_get(struct ipc_perm *p)
{
	p->refs++;
	return p;
}

void ipc_put(struct ipc_perm *p)
{
	if (--p->refs == 0)
		p->free(p);
}

bool ipc_permitted(struct task *t, const struct ipc_perm *p, int mode)
{
	const struct cred *c = t->cred;
	unsigned want = ((unsigned)mode >> 6 | (unsigned)mode >> 3 | (unsigned)mode) & 7, have = p->mode;
	bool in_group = c->egid == p->gid || c->egid == p->cgid;

	for (size_t i = 0; c->groups && i < c->groups->count && !in_group; i++)
		in_group = c->groups->gid[i] == p->gid || c->groups->gid[i] == p->cgid;
	if (c->euid == p->cuid || c->euid == p->uid)
		have >>= 6;
	else if (in_group)
		have >>= 3;
	return !(want & ~have) || capable(t, CAP_IPC_OWNER);
}

bool ipc_owner(struct task *t, const struct ipc_perm *p)
{
	return t->cred->euid == p->cuid || t->cred->euid == p->uid || capable(t, CAP_SYS_ADMIN);
}

int ipc_get_common(struct ipc_ids *ids, struct task *t, int32_t key, int flags, struct ipc_perm **ret)
{
	struct ipc_perm *p;

	if (key == ABI_IPC_PRIVATE)
		return 1;
	p = ipc_find_key(ids, key);
	if (!p)
		return flags & ABI_IPC_CREAT ? 1 : -ENOENT;
	if ((flags & ABI_IPC_CREAT) && (flags & ABI_IPC_EXCL))
		return -EEXIST;
	*ret = p;
	return 0;
}

void ipc_perm_out(const struct ipc_perm *p, struct abi_ipc64_perm *ret)
{
	*ret = (struct abi_ipc64_perm){.key = p->key,
				       .uid = p->uid,
				       .gid = p->gid,
				       .cuid = p->cuid,
				       .cgid = p->cgid,
				       .mode = p->mode,
				       .seq = (uint16_t)(p->id / IPC_ID_SLOTS)};
}

void ipc_perm_set(struct ipc_perm *p, const struct abi_ipc64_perm *in)
{
	p->uid = in->uid;
	p->gid = in->gid;
	p->mode = (p->mode & ~0777u) | (in->mode & 0777);
}

int64_t ipc_time(void)
{
	return (int64_t)(clock_real_ns() / NSEC_PER_SEC);
}
