/* System V semaphores. An operation list is done as a whole or not at all; who has to wait is woken by
 * any change of the set and tries again, in the order of arrival. Undo values belong to the thread
 * group (all threads of a program share them, as CLONE_SYSVSEM has it). */
#include "common/base/util.h"
#include "services/sysd/abi/ipc.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/fs/proc/seqbuf.h"
#include "services/sysd/ipc/ipc_ns.h"
#include "services/sysd/ipc/ipc_proc.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/timespec.h"

struct sem {
	int32_t val;
	uint32_t pid; /* who changed it last */
};
struct sem_undo {
	struct list node; /* in set->undos */
	struct list all;  /* in all undos */
	struct signal *sig;
	struct sem_set *set;
	int16_t adj[];
};
struct sem_set {
	struct ipc_perm perm; /* must be first */
	unsigned count;
	int64_t otime, ctime;
	struct waitq wait;
	struct list waiting;  /* struct sem_wait.node */
	struct list undos;
	struct sem sem[];
};
struct sem_wait {
	struct list node;
	const struct abi_sembuf *blocked; /* the operation that could not be done */
};
static struct list all_undos = LIST_INIT(all_undos);

static struct ipc_ids *ids_of(struct task *t)
{
	return &ipc_ns_of(t)->ids[IPC_SEM];
}

static void undo_free(struct sem_undo *u)
{
	list_del(&u->node);
	list_del(&u->all);
	free(u);
}

static void set_free(struct ipc_perm *p)
{
	struct sem_set *set = (struct sem_set *)p;

	while (!list_empty(&set->undos))
		undo_free(LIST_FIRST(&set->undos, struct sem_undo, node));
	free(set);
}

static void set_remove(struct ipc_ids *ids, struct sem_set *set)
{
	ipc_get(&set->perm);
	ipc_remove(ids, &set->perm);
	while (!list_empty(&set->undos))
		undo_free(LIST_FIRST(&set->undos, struct sem_undo, node));
	waitq_wake_all(&set->wait);
	ipc_put(&set->perm);
}

SYS_HANDLER(semget)
{
	struct ipc_ids *ids = ids_of(t);
	struct ipc_perm *p;
	struct sem_set *set;
	int count = (int)a[1], flags = (int)a[2], ret;

	if (count < 0 || count > sysctl_sem[0])
		return -EINVAL;
	ret = ipc_get_common(ids, t, (int32_t)a[0], flags, &p);
	if (ret < 0)
		return ret;
	if (!ret) {
		if ((unsigned)count > ((struct sem_set *)p)->count)
			return -EINVAL;
		return ipc_permitted(t, p, flags & 0777) ? p->id : -EACCES;
	}
	if (!count)
		return -EINVAL;
	set = calloc(1, sizeof(*set) + (size_t)count * sizeof(set->sem[0]));
	if (!set)
		return -ENOMEM;
	set->count = (unsigned)count;
	set->ctime = ipc_time();
	set->perm.free = set_free;
	waitq_init(&set->wait);
	list_init(&set->waiting);
	list_init(&set->undos);
	ret = ipc_add(ids, &set->perm, (int32_t)a[0], (uint32_t)flags, t, (unsigned)sysctl_sem[3]);
	if (ret) {
		free(set);
		return ret;
	}
	return set->perm.id;
}

/* ---- operations --------------------------------------------------------------------------- */

static struct sem_undo *undo_find(struct sem_set *set, struct signal *sig)
{
	struct sem_undo *u;

	LIST_FOR_EACH (u, &set->undos, node)
		if (u->sig == sig)
			return u;
	return NULL;
}

static struct sem_undo *undo_get(struct sem_set *set, struct signal *sig)
{
	struct sem_undo *u = undo_find(set, sig);

	if (u)
		return u;
	u = calloc(1, sizeof(*u) + set->count * sizeof(u->adj[0]));
	if (!u)
		return NULL;
	u->sig = sig;
	u->set = set;
	list_add_tail(&set->undos, &u->node);
	list_add_tail(&all_undos, &u->all);
	return u;
}

/* 0: done. 1: has to wait, *ret_blocked says for which. -ERANGE. Nothing is changed unless 0. */
static int try_ops(struct sem_set *set, const struct abi_sembuf *ops, unsigned n, uint32_t pid,
		   struct sem_undo *undo, const struct abi_sembuf **ret_blocked)
{
	unsigned i;
	int ret = 0;

	for (i = 0; i < n; i++) {
		struct sem *s = &set->sem[ops[i].num];
		int32_t val = s->val + ops[i].op;

		if ((!ops[i].op && s->val) || val < 0) {
			*ret_blocked = &ops[i];
			ret = 1;
			break;
		}
		if (val > ABI_SEMVMX) {
			ret = -ERANGE;
			break;
		}
		if (ops[i].flg & ABI_SEM_UNDO && undo) {
			int adj = undo->adj[ops[i].num] - ops[i].op;

			if (adj < -ABI_SEMVMX - 1 || adj > ABI_SEMVMX) {
				ret = -ERANGE;
				break;
			}
			undo->adj[ops[i].num] = (int16_t)adj;
		}
		s->val = val;
	}
	if (!ret) {
		for (i = 0; i < n; i++)
			set->sem[ops[i].num].pid = pid;
		set->otime = ipc_time();
		return 0;
	}
	while (i-- > 0) {
		set->sem[ops[i].num].val -= ops[i].op;
		if (ops[i].flg & ABI_SEM_UNDO && undo)
			undo->adj[ops[i].num] = (int16_t)(undo->adj[ops[i].num] + ops[i].op);
	}
	return ret;
}

static int wait_ops(struct task *t, struct sem_set *set, const struct abi_sembuf *ops, unsigned n,
		    struct sem_undo *undo, uint64_t deadline)
{
	struct sem_wait w = {.blocked = NULL};
	struct waiter waiter;
	int ret;

	list_init(&w.node);
	list_add_tail(&set->waiting, &w.node);
	/* exclusive entries stand at the end of the queue: the order of arrival */
	wait_prepare(&waiter, &set->wait, WAIT_INTERRUPTIBLE | WAIT_EXCLUSIVE);
	t->wchan = "do_semtimedop";
	for (;;) {
		if (set->perm.deleted) {
			ret = -EIDRM;
			break;
		}
		ret = try_ops(set, ops, n, t->signal->pid, undo, &w.blocked);
		if (ret <= 0)
			break;
		if (w.blocked->flg & ABI_IPC_NOWAIT) {
			ret = -EAGAIN;
			break;
		}
		ret = wait_sleep(&waiter, WAIT_INTERRUPTIBLE, deadline);
		if (ret == -ETIMEDOUT)
			ret = -EAGAIN;
		if (ret == -ERESTARTSYS)
			ret = -EINTR; /* never restarted (signal(7)) */
		if (ret) {
			const struct abi_sembuf *b;

			if (!set->perm.deleted && try_ops(set, ops, n, t->signal->pid, undo, &b) == 0)
				ret = 0;
			break;
		}
	}
	wait_finish(&waiter);
	list_del(&w.node);
	t->wchan = NULL;
	return ret;
}

static long do_semop(struct task *t, int id, uint64_t uops, uint64_t count, uint64_t deadline)
{
	struct abi_sembuf fast[16], *ops = fast;
	const struct abi_sembuf *blocked;
	bool alter = false, undos = false;
	struct sem_undo *undo = NULL;
	struct sem_set *set;
	unsigned top = 0;
	long ret;

	if (count < 1 || id < 0)
		return -EINVAL;
	if (count > (uint64_t)sysctl_sem[2])
		return -E2BIG;
	if (count > ARRAY_SIZE(fast)) {
		ops = malloc(count * sizeof(*ops));
		if (!ops)
			return -ENOMEM;
	}
	ret = user_read(t, ops, uops, count * sizeof(*ops));
	for (uint64_t i = 0; !ret && i < count; i++) {
		alter |= ops[i].op != 0;
		undos |= (ops[i].flg & ABI_SEM_UNDO) != 0;
		top = MAX(top, (unsigned)ops[i].num);
	}
	set = ret ? NULL : (struct sem_set *)ipc_find(ids_of(t), id);
	if (!ret && !set)
		ret = -EINVAL;
	if (!ret && top >= set->count)
		ret = -EFBIG;
	if (!ret && !ipc_permitted(t, &set->perm, alter ? 0222 : 0444))
		ret = -EACCES;
	if (!ret && undos) {
		undo = undo_get(set, t->signal);
		if (!undo)
			ret = -ENOMEM;
	}
	if (!ret) {
		ipc_get(&set->perm);
		ret = try_ops(set, ops, (unsigned)count, t->signal->pid, undo, &blocked);
		if (ret > 0) {
			if (blocked->flg & ABI_IPC_NOWAIT)
				ret = -EAGAIN;
			else
				ret = wait_ops(t, set, ops, (unsigned)count, undo, deadline);
		}
		if (!ret && alter)
			waitq_wake_all(&set->wait);
		ipc_put(&set->perm);
	}
	if (ops != fast)
		free(ops);
	return ret;
}

SYS_HANDLER(semop)
{
	return do_semop(t, (int)a[0], a[1], (uint32_t)a[2], KTIMER_NEVER);
}

SYS_HANDLER(semtimedop)
{
	struct abi_timespec ts;
	uint64_t deadline = KTIMER_NEVER;

	if (a[3]) {
		int err = user_timespec(t, &ts, a[3]);

		if (err)
			return err;
		deadline = deadline_after(timespec_ns(&ts));
	}
	return do_semop(t, (int)a[0], a[1], (uint32_t)a[2], deadline);
}

bool sysvsem_has_undo(const struct signal *sig)
{
	struct sem_undo *u;

	LIST_FOR_EACH (u, &all_undos, all)
		if (u->sig == sig)
			return true;
	return false;
}

void sysvsem_exit(struct signal *sig)
{
	struct sem_undo *u, *tmp;

	LIST_FOR_EACH_SAFE (u, tmp, &all_undos, all) {
		struct sem_set *set = u->set;

		if (u->sig != sig)
			continue;
		for (unsigned i = 0; i < set->count; i++) {
			struct sem *s = &set->sem[i];

			if (!u->adj[i])
				continue;
			/* clamped, as Linux does: an undo never fails */
			s->val = MAX(0, MIN(s->val + u->adj[i], ABI_SEMVMX));
			s->pid = sig->pid;
		}
		set->otime = ipc_time();
		undo_free(u);
		waitq_wake_all(&set->wait);
	}
}

/* ---- semctl ------------------------------------------------------------------------------- */

static void clear_undo(struct sem_set *set, int num)
{
	struct sem_undo *u;

	LIST_FOR_EACH (u, &set->undos, node) {
		if (num >= 0)
			u->adj[num] = 0;
		else
			memset(u->adj, 0, set->count * sizeof(u->adj[0]));
	}
}

static long count_waiting(const struct sem_set *set, int num, bool zero)
{
	struct sem_wait *w;
	long n = 0;

	LIST_FOR_EACH (w, &set->waiting, node)
		if (w->blocked && w->blocked->num == num && (w->blocked->op == 0) == zero)
			n++;
	return n;
}

static long sem_one(struct task *t, struct sem_set *set, int num, int cmd, uint64_t arg)
{
	if (num < 0 || (unsigned)num >= set->count)
		return -EINVAL;
	switch (cmd) {
	case ABI_GETVAL:
		return set->sem[num].val;
	case ABI_GETPID:
		return (long)set->sem[num].pid;
	case ABI_GETNCNT:
		return count_waiting(set, num, false);
	case ABI_GETZCNT:
		return count_waiting(set, num, true);
	}
	/* SETVAL */
	if ((int)arg < 0 || (int)arg > ABI_SEMVMX)
		return -ERANGE;
	clear_undo(set, num);
	set->sem[num].val = (int)arg;
	set->sem[num].pid = t->signal->pid;
	set->ctime = ipc_time();
	waitq_wake_all(&set->wait);
	return 0;
}

static long sem_all(struct task *t, struct sem_set *set, int cmd, uint64_t arg)
{
	CLEANUP_FREE uint16_t *v = malloc(set->count * sizeof(*v));

	if (!v)
		return -ENOMEM;
	if (cmd == ABI_GETALL) {
		for (unsigned i = 0; i < set->count; i++)
			v[i] = (uint16_t)set->sem[i].val;
		return user_write(t, arg, v, set->count * sizeof(*v));
	}
	if (user_read(t, v, arg, set->count * sizeof(*v)))
		return -EFAULT;
	for (unsigned i = 0; i < set->count; i++)
		if (v[i] > ABI_SEMVMX)
			return -ERANGE;
	clear_undo(set, -1);
	for (unsigned i = 0; i < set->count; i++) {
		set->sem[i].val = v[i];
		set->sem[i].pid = t->signal->pid;
	}
	set->ctime = ipc_time();
	waitq_wake_all(&set->wait);
	return 0;
}

static long sem_stat(struct task *t, int id, int cmd, uint64_t ubuf)
{
	struct ipc_ids *ids = ids_of(t);
	struct abi_semid64_ds ds = {0};
	struct sem_set *set = (struct sem_set *)(cmd == ABI_IPC_STAT ? ipc_find(ids, id) : ipc_at(ids, id));

	if (!set)
		return -EINVAL;
	if (cmd != ABI_SEM_STAT_ANY && !ipc_permitted(t, &set->perm, 0444))
		return -EACCES;
	ipc_perm_out(&set->perm, &ds.perm);
	ds.otime = set->otime;
	ds.ctime = set->ctime;
	ds.nsems = set->count;
	if (user_put(t, ds, ubuf))
		return -EFAULT;
	return cmd == ABI_IPC_STAT ? 0 : set->perm.id;
}

static long sem_info(struct task *t, int cmd, uint64_t ubuf)
{
	struct ipc_ids *ids = ids_of(t);
	struct abi_seminfo si = {.map = (int32_t)sysctl_sem[1],
				 .mni = (int32_t)sysctl_sem[3],
				 .mns = (int32_t)sysctl_sem[1],
				 .mnu = (int32_t)sysctl_sem[1],
				 .msl = (int32_t)sysctl_sem[0],
				 .opm = (int32_t)sysctl_sem[2],
				 .ume = (int32_t)sysctl_sem[2],
				 .usz = 20,
				 .vmx = ABI_SEMVMX,
				 .aem = ABI_SEMVMX};

	if (cmd == ABI_SEM_INFO) {
		si.usz = (int32_t)ids->used;
		si.aem = 0;
		for (unsigned i = 0; i < ids->count; i++)
			if (ids->slot[i])
				si.aem += (int32_t)((struct sem_set *)ids->slot[i])->count;
	}
	return user_put(t, si, ubuf) ? -EFAULT : ipc_highest(ids);
}

SYS_HANDLER(semctl)
{
	struct ipc_ids *ids = ids_of(t);
	int id = (int)a[0], num = (int)a[1], cmd = (int)a[2];
	struct abi_semid64_ds ds;
	struct sem_set *set;

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case ABI_IPC_INFO:
	case ABI_SEM_INFO:
		return sem_info(t, cmd, a[3]);
	case ABI_IPC_STAT:
	case ABI_SEM_STAT:
	case ABI_SEM_STAT_ANY:
		return sem_stat(t, id, cmd, a[3]);
	case ABI_IPC_SET:
		if (user_get(t, ds, a[3]))
			return -EFAULT;
		break;
	case ABI_IPC_RMID:
	case ABI_GETALL:
	case ABI_GETVAL:
	case ABI_GETPID:
	case ABI_GETNCNT:
	case ABI_GETZCNT:
	case ABI_SETVAL:
	case ABI_SETALL:
		break;
	default:
		return -EINVAL;
	}
	set = (struct sem_set *)ipc_find(ids, id);
	if (!set)
		return -EINVAL;
	if (cmd == ABI_IPC_SET || cmd == ABI_IPC_RMID) {
		if (!ipc_owner(t, &set->perm))
			return -EPERM;
		if (cmd == ABI_IPC_RMID) {
			set_remove(ids, set);
		} else {
			ipc_perm_set(&set->perm, &ds.perm);
			set->ctime = ipc_time();
		}
		return 0;
	}
	if (!ipc_permitted(t, &set->perm, cmd == ABI_SETVAL || cmd == ABI_SETALL ? 0222 : 0444))
		return -EACCES;
	if (cmd == ABI_GETALL || cmd == ABI_SETALL)
		return sem_all(t, set, cmd, a[3]);
	return sem_one(t, set, num, cmd, a[3]);
}

int proc_show_sysvipc_sem(struct seqbuf *s, struct task *t, const struct proc_inode *pi)
{
	struct task *cur = current_task();
	struct ipc_ids *ids;

	seq_puts(s, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
	if (!cur)
		return 0;
	ids = ids_of(cur);
	for (unsigned i = 0; i < ids->count; i++) {
		struct sem_set *set = (struct sem_set *)ids->slot[i];

		if (set)
			seq_printf(s, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lld %10lld\n", set->perm.key,
				   set->perm.id, set->perm.mode, set->count, set->perm.uid, set->perm.gid,
				   set->perm.cuid, set->perm.cgid, (long long)set->otime,
				   (long long)set->ctime);
	}
	return 0;
}
