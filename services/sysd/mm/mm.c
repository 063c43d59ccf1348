/* Address spaces: their life, and the host clones that make more of them. */
#include "services/sysd/mm/mm.h"

#include <errno.h>
#include <sys/resource.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "services/sysd/aio/aio.h"
#include "services/sysd/mm/memd_client.h"
#include "services/sysd/mm/vma.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/inode.h"

struct mm *mm_new(struct hprocess *hp)
{
	static uint64_t serial;
	struct mm *mm = calloc(1, sizeof(*mm));

	if (!mm)
		return NULL;
	mm->refs = 1;
	mm->serial = ++serial;
	mm->hp = hprocess_ref(hp);
	mm->maps_fd = -1;
	list_init(&mm->file_vmas);
	list_init(&mm->aio_contexts);
	hp->mm = mm;
	return mm;
}

struct mm *mm_ref(struct mm *mm)
{
	mm->refs++;
	return mm;
}

void mm_unref(struct mm *mm)
{
	if (!mm || --mm->refs)
		return;
	aio_mm_done(mm);
	mm->hp->mm = NULL;
	memd_kill(mm->hp);
	hprocess_unref(mm->hp);
	vma_remove_all(mm);
	close_fd(&mm->maps_fd);
	if (mm->exe_inode) {
		mm->exe_inode->write_count++;
		inode_unref(mm->exe_inode);
	}
	free(mm);
}

void mm_deny_write(struct mm *mm, struct inode *inode)
{
	mm->exe_inode = inode_ref(inode);
	inode->write_count--;
}

static struct mm *mm_dup(const struct mm *from, struct hprocess *hp)
{
	struct mm *mm = mm_new(hp);

	if (!mm)
		return NULL;
	struct mm fresh = *mm;

	*mm = *from;
	mm->refs = fresh.refs;
	mm->serial = fresh.serial;
	mm->hp = fresh.hp;
	mm->maps_fd = -1;
	mm->file_vma_count = 0;
	mm->exe_inode = NULL;
	if (from->exe_inode)
		mm_deny_write(mm, from->exe_inode);
	mm->whole = (struct mm_whole){0};
	list_init(&mm->file_vmas);
	list_init(&mm->aio_contexts);
	if (vma_copy_all(mm, from)) {
		mm_unref(mm);
		return NULL;
	}
	return mm;
}

static int clone_error(int64_t ret)
{
	return ret == -ENOMEM ? -ENOMEM : -EAGAIN;
}

int mm_fork(struct task *t, struct mm **ret_mm, struct hthread **ret_child_ht)
{
	struct hprocess *hp = NULL;
	struct hthread *ht = NULL;
	struct mm *mm = NULL;
	uint32_t cookie;
	int ret;

	ret = memd_fork_begin(t->mm->hp, &hp, &cookie);
	if (ret)
		return clone_error(ret);
	mm = mm_dup(t->mm, hp);
	ret = mm ? hthread_new_forked(hp, t->ht, cookie, &ht) : -ENOMEM;
	if (!ret) {
		*ret_mm = mm;
		*ret_child_ht = ht;
	} else if (mm) {
		mm_unref(mm);
	} else {
		memd_kill(hp);
	}
	hprocess_unref(hp);
	return ret;
}

int mm_fork_now(struct task *t, const struct hthread *child_ht)
{
	struct sbx_hostop op = hthread_clone_op(child_ht, 0);
	int ret = hthread_run_ops(t, &op, 1);

	return mm_fork_result(ret ? ret : op.ret);
}

int mm_fork_result(int64_t op_ret)
{
	if (op_ret >= 0)
		return 0;
	log_debug("a process could not be cloned: %s", op_ret > -4096 ? strerror((int)-op_ret) : "?");
	return clone_error(op_ret);
}

int mm_clone_thread(struct task *t, struct hthread **ret_child_ht)
{
	struct sbx_hostop op = {.kind = SBX_HOP_CLONE_THREAD};
	struct hthread *ht;
	int ret;

	ret = hthread_new(t->mm->hp, &ht);
	if (ret)
		return ret;
	op.args[0] = ht->index;
	ret = hthread_run_ops(t, &op, 1);
	if (!ret && op.ret < 0)
		ret = clone_error(op.ret);
	if (ret) {
		hthread_free(ht);
		return ret == -ENOMEM ? -ENOMEM : -EAGAIN;
	}
	ht->hello_due = true;
	*ret_child_ht = ht;
	return 0;
}

static void set_limit(struct mm *mm, unsigned resource, uint64_t soft, uint64_t hard, bool wait)
{
	uint64_t extra = 0;

	/* The runtime's own areas are no part of what the guest counts. */
	if (resource == RLIMIT_AS)
		extra = SBX_R_SIZE + memd_info.vdso_size;
	else if (resource == RLIMIT_DATA)
		extra = SBX_R_DATA_SIZE + SBX_THREADS_MAX * SBX_THREAD_STRIDE;
	else if (resource != RLIMIT_STACK && resource != RLIMIT_MEMLOCK)
		return;
	soft = soft > UINT64_MAX - extra ? UINT64_MAX : soft + extra;
	hard = hard > UINT64_MAX - extra ? UINT64_MAX : hard + extra;
	memd_set_limit(mm->hp, resource, soft, hard, wait);
}

void mm_limit_changed(struct mm *mm, unsigned resource, uint64_t soft, uint64_t hard)
{
	mm_ref(mm);
	set_limit(mm, resource, soft, hard, true);
	mm_unref(mm);
}

void mm_limit_first(struct mm *mm, unsigned resource, uint64_t soft, uint64_t hard)
{
	set_limit(mm, resource, soft, hard, false);
}
