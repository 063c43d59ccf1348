/* POSIX and OFD record locks, flock and leases.
 *
 * Ranges of one owner on one inode never overlap and are kept sorted; a new lock cuts and merges the
 * owner's old ones (fcntl(2)). Waiters sleep on the inode's queue and try again. A POSIX waiter is
 * recorded with the owner it waits for; a chain of such records back to itself is a deadlock. */
#include "services/sysd/vfs/lock.h"

#include "services/sysd/core/clock.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/internal.h"
#include "services/sysd/abi/fcntl.h"

#include <linux/capability.h>
#include <sys/file.h>

static struct list contexts = LIST_INIT(contexts);

static struct file_lock_context *context(struct inode *inode)
{
	struct file_lock_context *c = inode->locks;

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	list_init(&c->posix);
	list_init(&c->flock);
	list_init(&c->leases);
	waitq_init(&c->wait);
	c->inode = inode;
	list_add_tail(&contexts, &c->all_node);
	inode->locks = c;
	return c;
}

static void free_list(struct list *head)
{
	while (!list_empty(head)) {
		struct file_lock *l = LIST_FIRST(head, struct file_lock, node);

		list_del(&l->node);
		free(l);
	}
}

void locks_free_inode(struct inode *inode)
{
	struct file_lock_context *c = STEAL_PTR(inode->locks);

	if (!c)
		return;
	free_list(&c->posix);
	free_list(&c->flock);
	free_list(&c->leases);
	list_del(&c->all_node);
	free(c);
}

static void each(const struct list *head, const struct inode *inode,
		 void (*fn)(const struct inode *, const struct file_lock *, void *), void *arg)
{
	const struct file_lock *l;

	LIST_FOR_EACH (l, head, node)
		fn(inode, l, arg);
}

/* All contexts hang on one list, so that /proc/locks need not look at every inode. */
void locks_for_each(void (*fn)(const struct inode *inode, const struct file_lock *l, void *arg), void *arg)
{
	const struct file_lock_context *c;

	LIST_FOR_EACH (c, &contexts, all_node) {
		each(&c->posix, c->inode, fn, arg);
		each(&c->flock, c->inode, fn, arg);
		each(&c->leases, c->inode, fn, arg);
	}
}

/* ---- record locks ---- */

static bool same_owner(const struct file_lock *a, const struct file_lock *b)
{
	return a->kind == b->kind && a->owner == b->owner;
}

static const struct file_lock *find_conflict(const struct file_lock_context *c, const struct file_lock *want)
{
	const struct file_lock *l;

	LIST_FOR_EACH (l, &c->posix, node) {
		if (same_owner(l, want) || l->end < want->start || l->start > want->end)
			continue;
		if (l->type == F_WRLCK || want->type == F_WRLCK)
			return l;
	}
	return NULL;
}

/* Who waits for whom: one entry per sleeping POSIX lock call. */
struct posix_waiter {
	struct list node;
	const void *owner, *blocker;
};
static struct list waiters = LIST_INIT(waiters);

static const void *waits_for(const void *owner)
{
	const struct posix_waiter *w;

	LIST_FOR_EACH (w, &waiters, node) {
		if (w->owner == owner)
			return w->blocker;
	}
	return NULL;
}

static bool deadlock(const void *owner, const void *blocker)
{
	for (int i = 0; blocker && i < 1000; i++) {
		if (blocker == owner)
			return true;
		blocker = waits_for(blocker);
	}
	return false;
}

/* Enters, changes or removes (F_UNLCK) a range; nothing conflicts. Two spare records make it sure that
 * nothing fails half-way. */
static int apply(struct file_lock_context *c, const struct file_lock *want)
{
	struct file_lock *spare[2] = {malloc(sizeof(*want)), malloc(sizeof(*want))};
	struct file_lock *l, *tmp, *mine = NULL;
	struct list *after = &c->posix;
	int64_t start = want->start, end = want->end;

	if (!spare[0] || !spare[1]) {
		free(spare[0]);
		free(spare[1]);
		return -ENOLCK;
	}
	LIST_FOR_EACH_SAFE (l, tmp, &c->posix, node) {
		if (!same_owner(l, want))
			continue;
		if (want->type == l->type) {
			/* Same type: melt together what touches. */
			if ((l->end != INT64_MAX && l->end + 1 < start) || (end != INT64_MAX && l->start > end + 1))
				continue;
			start = MIN(start, l->start);
			end = MAX(end, l->end);
			list_del(&l->node);
			free(l);
			continue;
		}
		if (l->end < want->start || l->start > want->end)
			continue;
		if (l->start < want->start && l->end > want->end) {
			/* cut in two: the right part is a new record */
			struct file_lock *right = STEAL_PTR(spare[1]);

			*right = *l;
			right->start = want->end + 1;
			l->end = want->start - 1;
			list_insert_(&right->node, &l->node, l->node.next);
		} else if (l->start < want->start) {
			l->end = want->start - 1;
		} else if (l->end > want->end) {
			l->start = want->end + 1;
		} else {
			list_del(&l->node);
			free(l);
		}
	}
	if (want->type != F_UNLCK) {
		mine = STEAL_PTR(spare[0]);
		*mine = *want;
		mine->start = start;
		mine->end = end;
		LIST_FOR_EACH (l, &c->posix, node) {
			if (l->start > start)
				break;
			after = &l->node;
		}
		list_insert_(&mine->node, after, after->next);
	}
	free(spare[0]);
	free(spare[1]);
	waitq_wake_all(&c->wait);
	return 0;
}

static int range_of(struct file *f, const struct abi_flock *fl, struct file_lock *ret)
{
	int64_t base, start, end;

	switch (fl->whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = f->pos;
		break;
	case SEEK_END:
		base = (int64_t)f->inode->size;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, fl->start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	if (fl->len > 0) {
		if (__builtin_add_overflow(start, fl->len - 1, &end))
			return -EOVERFLOW;
	} else if (fl->len < 0) {
		if (start + fl->len < 0)
			return -EINVAL;
		end = start - 1;
		start += fl->len;
	} else {
		end = INT64_MAX;
	}
	ret->start = start;
	ret->end = end;
	return 0;
}

static int set_lock(struct file *f, struct file_lock *want, bool wait)
{
	struct file_lock_context *c;
	const struct file_lock *conflict;
	struct posix_waiter w;
	int err;

	if (want->type == F_UNLCK && !f->inode->locks)
		return 0;
	c = context(f->inode);
	if (!c)
		return -ENOLCK;
	while (want->type != F_UNLCK && (conflict = find_conflict(c, want))) {
		if (!wait)
			return -EAGAIN;
		if (want->kind == LOCK_KIND_POSIX && conflict->kind == LOCK_KIND_POSIX &&
		    deadlock(want->owner, conflict->owner))
			return -EDEADLK;
		w.owner = want->kind == LOCK_KIND_POSIX ? want->owner : NULL;
		w.blocker = conflict->owner;
		list_add(&waiters, &w.node);
		err = WAIT_EVENT_INTR(&c->wait, !(conflict = find_conflict(c, want)) ||
							conflict->owner != w.blocker);
		list_del(&w.node);
		if (err < 0)
			return err;
	}
	return apply(c, want);
}

static int32_t pid_seen(const struct file_lock *l)
{
	return l->kind == LOCK_KIND_OFD ? -1 : (int32_t)l->pid;
}

long fcntl_lock(struct task *t, struct file *f, int fd, int cmd, uint64_t arg)
{
	bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	struct file_lock want = {.kind = ofd ? LOCK_KIND_OFD : LOCK_KIND_POSIX,
				 .owner = ofd ? (const void *)f : (const void *)t->files,
				 .pid = t->signal ? t->signal->pid : t->tid};
	const struct file_lock *conflict;
	struct abi_flock fl;
	int err;

	if (user_get(t, fl, arg) < 0)
		return -EFAULT;
	if (ofd && fl.pid)
		return -EINVAL;
	want.type = fl.type;
	err = range_of(f, &fl, &want);
	if (err < 0)
		return err;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK) {
		if (fl.type != F_RDLCK && fl.type != F_WRLCK && !(ofd && fl.type == F_UNLCK))
			return -EINVAL;
		conflict = f->inode->locks ? find_conflict(f->inode->locks, &want) : NULL;
		if (conflict) {
			fl.type = (int16_t)conflict->type;
			fl.whence = SEEK_SET;
			fl.start = conflict->start;
			fl.len = conflict->end == INT64_MAX ? 0 : conflict->end - conflict->start + 1;
			fl.pid = pid_seen(conflict);
		} else {
			fl.type = F_UNLCK;
		}
		return user_put(t, fl, arg);
	}
	switch (fl.type) {
	case F_RDLCK:
		if (!f->readable)
			return -EBADF;
		break;
	case F_WRLCK:
		if (!f->writable)
			return -EBADF;
		break;
	case F_UNLCK:
		break;
	default:
		return -EINVAL;
	}
	err = set_lock(f, &want, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
	/* Somebody may have closed the descriptor while we slept: the lock must not outlive it. */
	if (!err && !ofd && want.type != F_UNLCK) {
		struct file *now = fd_get_any(t, fd);

		if (now != f) {
			want.type = F_UNLCK;
			set_lock(f, &want, false);
			err = -EBADF;
		}
		file_unref(now);
	}
	return err;
}

void locks_remove_posix(struct file *f, struct fdtable *ft)
{
	struct file_lock_context *c = f->inode->locks;
	struct file_lock *l, *tmp;
	bool any = false;

	LIST_FOR_EACH_SAFE (l, tmp, &c->posix, node) {
		if (l->kind == LOCK_KIND_POSIX && l->owner == ft) {
			list_del(&l->node);
			free(l);
			any = true;
		}
	}
	if (any)
		waitq_wake_all(&c->wait);
}

static bool remove_of_file(struct list *head, const struct file *f, bool ofd_only)
{
	struct file_lock *l, *tmp;
	bool any = false;

	LIST_FOR_EACH_SAFE (l, tmp, head, node) {
		if (l->owner == f && (!ofd_only || l->kind == LOCK_KIND_OFD)) {
			list_del(&l->node);
			free(l);
			any = true;
		}
	}
	return any;
}

void locks_remove_file(struct file *f)
{
	struct file_lock_context *c = f->inode->locks;
	bool any = remove_of_file(&c->posix, f, true);

	any |= remove_of_file(&c->flock, f, false);
	any |= remove_of_file(&c->leases, f, false);
	if (any)
		waitq_wake_all(&c->wait);
}

/* ---- flock(2) ---- */

static struct file_lock *flock_of(struct file_lock_context *c, const struct file *f)
{
	struct file_lock *l;

	LIST_FOR_EACH (l, &c->flock, node) {
		if (l->owner == f)
			return l;
	}
	return NULL;
}

static bool flock_conflicts(const struct file_lock_context *c, const struct file *f, int type)
{
	const struct file_lock *l;

	LIST_FOR_EACH (l, &c->flock, node) {
		if (l->owner != f && (l->type == F_WRLCK || type == F_WRLCK))
			return true;
	}
	return false;
}

static int flock_set(struct task *t, struct file *f, int type, bool nonblock)
{
	struct file_lock_context *c = context(f->inode);
	struct file_lock *l;
	int err;

	if (!c)
		return -ENOLCK;
	l = flock_of(c, f);
	if (l && l->type == type)
		return 0;
	if (l) { /* a conversion gives the old lock up first (flock(2)) */
		list_del(&l->node);
		free(l);
		waitq_wake_all(&c->wait);
	}
	if (type == F_UNLCK)
		return 0;
	if (flock_conflicts(c, f, type)) {
		if (nonblock)
			return -EWOULDBLOCK;
		err = WAIT_EVENT_INTR(&c->wait, !flock_conflicts(c, f, type));
		if (err < 0)
			return err;
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOLCK;
	*l = (struct file_lock){.kind = LOCK_KIND_FLOCK, .type = type, .end = INT64_MAX, .owner = f,
				.pid = t->signal ? t->signal->pid : t->tid};
	list_add_tail(&c->flock, &l->node);
	return 0;
}

long sys_flock(struct task *t, const uint64_t a[6])
{
	int op = (int)a[1], type;
	struct file *f;
	long ret;

	switch (op & ~LOCK_NB) {
	case LOCK_SH:
		type = F_RDLCK;
		break;
	case LOCK_EX:
		type = F_WRLCK;
		break;
	case LOCK_UN:
		type = F_UNLCK;
		break;
	default:
		return op & LOCK_MAND ? 0 : -EINVAL; /* since Linux 5.5 without effect */
	}
	f = fd_get(t, (int)a[0]);
	if (!f)
		return -EBADF;
	if (type != F_UNLCK && !f->readable && !f->writable)
		ret = -EBADF;
	else
		ret = flock_set(t, f, type, op & LOCK_NB);
	file_unref(f);
	return ret;
}

/* ---- leases ---- */

int lease_get(struct file *f)
{
	struct file_lock *l;

	if (f->inode->locks) {
		LIST_FOR_EACH (l, &f->inode->locks->leases, node) {
			if (l->owner == f)
				return l->breaking ? l->break_to : l->type;
		}
	}
	return F_UNLCK;
}

int lease_set(struct task *t, struct file *f, int type)
{
	struct inode *inode = f->inode;
	struct file_lock_context *c;
	struct file_lock *l, *mine = NULL;

	if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK)
		return -EINVAL;
	if (t->cred->fsuid != inode->uid && !t_capable(t, CAP_LEASE))
		return -EACCES;
	if (!S_ISREG(inode->mode))
		return -EINVAL;
	c = context(inode);
	if (!c)
		return -ENOLCK;
	LIST_FOR_EACH (l, &c->leases, node) {
		if (l->owner == f)
			mine = l;
		else if (type == F_WRLCK)
			return -EAGAIN;
		else if (type == F_RDLCK && (l->type == F_WRLCK || l->breaking))
			return -EAGAIN;
	}
	if (type == F_UNLCK) {
		if (!mine)
			return -EAGAIN;
		list_del(&mine->node);
		free(mine);
		waitq_wake_all(&c->wait);
		return 0;
	}
	if (type == F_RDLCK && inode->write_count > 0)
		return -EAGAIN;
	/* A write lease: nobody else has it open. Each open description holds the inode. */
	if (type == F_WRLCK && (inode->write_count > (f->write_counted ? 1 : 0) ||
				f->path.dentry->refs > 1 + (unsigned)!list_empty(&f->path.dentry->children)))
		return -EAGAIN;
	if (!mine) {
		mine = calloc(1, sizeof(*mine));
		if (!mine)
			return -ENOLCK;
		*mine = (struct file_lock){.kind = LOCK_KIND_LEASE, .end = INT64_MAX, .owner = f,
					   .pid = t->signal ? t->signal->pid : t->tid};
		list_add_tail(&c->leases, &mine->node);
	}
	mine->type = type;
	mine->breaking = false;
	if (!f->owner_pid)
		file_set_owner(f, t, ABI_F_OWNER_PID, (int32_t)mine->pid);
	waitq_wake_all(&c->wait);
	return 0;
}

static struct file_lock *lease_conflict(const struct file_lock_context *c, bool write)
{
	struct file_lock *l;

	LIST_FOR_EACH (l, &c->leases, node) {
		if (write || l->type == F_WRLCK)
			return l;
	}
	return NULL;
}

int locks_break_lease(struct inode *inode, bool write, bool nonblock)
{
	struct file_lock_context *c = inode->locks;
	struct file_lock *l;
	int err;

	while (c && (l = lease_conflict(c, write))) {
		const struct file_lock *waited = l;

		if (l->breaking && l->type == F_WRLCK && l->break_to == F_RDLCK && write)
			l->break_to = F_UNLCK;
		if (!l->breaking) {
			l->breaking = true;
			l->break_to = write ? F_UNLCK : F_RDLCK;
			l->break_deadline_ns = clock_mono_ns() + (uint64_t)sysctl_lease_break_time * NSEC_PER_SEC;
			file_sigio_force((struct file *)(uintptr_t)l->owner);
		}
		if (nonblock)
			return -EWOULDBLOCK;
		err = WAIT_EVENT_INTR_TIMEOUT(&c->wait, (l = lease_conflict(c, write)) != waited,
					      waited->break_deadline_ns);
		if (err == -ETIMEDOUT) {
			l = lease_conflict(c, write);
			if (l && l->break_to == F_UNLCK) {
				list_del(&l->node);
				free(l);
			} else if (l) {
				l->type = F_RDLCK;
				l->breaking = false;
			}
			continue;
		}
		if (err < 0)
			return err;
	}
	return 0;
}
