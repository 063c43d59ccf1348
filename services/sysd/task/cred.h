/* Credentials (credentials(7), capabilities(7)). Immutable once shared: change a copy. */
#ifndef SYSD_TASK_CRED_H
#define SYSD_TASK_CRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;

struct group_info {
	unsigned refs;
	size_t count;
	uint32_t gid[];
};

struct cred {
	unsigned refs;
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	struct group_info *groups; /* may be NULL: none */
	uint64_t cap_inheritable, cap_permitted, cap_effective, cap_bset, cap_ambient;
	uint32_t securebits;
	bool no_new_privs;
};

struct cred *cred_ref(struct cred *c);
void cred_unref(struct cred *c);
/* A private copy to change; NULL when out of memory. */
struct cred *cred_dup(const struct cred *c);
/* Replaces the task's credentials; takes the reference. Updates the T0 ids in the slot. */
void task_set_cred(struct task *t, struct cred *c);
bool cred_in_group(const struct cred *c, uint32_t gid); /* fsgid or a supplementary group */
bool capable(const struct task *t, int cap);            /* CAP_* of linux/capability.h, effective */
bool cred_capable(const struct cred *c, int cap);

#endif
