/* What the calls on credentials share. */
#ifndef SYSD_TASK_CRED_INTERNAL_H
#define SYSD_TASK_CRED_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include "services/sysd/task/cred.h"

#define CAP_LAST 40 /* CAP_CHECKPOINT_RESTORE */
#define CAP_ALL ((1ull << (CAP_LAST + 1)) - 1)
#define CAP_BIT(cap) (1ull << (cap))

/* securebits, each with its lock one bit higher */
#define SECBIT_NOROOT_ 1u
#define SECBIT_NO_SETUID_FIXUP_ 4u
#define SECBIT_KEEP_CAPS_ 16u
#define SECBIT_NO_CAP_AMBIENT_RAISE_ 64u

struct group_info *groups_new(size_t count);
void groups_unref(struct group_info *g);
void groups_sort(struct group_info *g);
/* task_set_cred without the loss of dumpable (exec decides that itself). */
void task_set_cred_quiet(struct task *t, struct cred *c);

#endif
