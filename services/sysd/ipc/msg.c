/* System V message queues. */
#include <linux/capability.h>
#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/fs/proc/seqbuf.h"
#include "services/sysd/ipc/ipc_ns.h"
#include "services/sysd/ipc/ipc_proc.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

struct msg {
	struct list node;
	int64_t type;
	size_t size;
	uint8_t data[];
};
struct msg_queue {
	struct ipc_perm perm; /* must be first */
	struct list msgs;
	uint64_t bytes, count, max_bytes;
	int64_t stime, rtime, ctime;
	uint32_t lspid, lrpid;
	struct waitq readers, writers;
};

static struct ipc_ids *ids_of(struct task *t)
{
	return &ipc_ns_of(t)->ids[IPC_MSG];
}

static void queue_free(struct ipc_perm *p)
{
	struct msg_queue *q = (struct msg_queue *)p;

	while (!list_empty(&q->msgs)) {
		struct msg *m = LIST_FIRST(&q->msgs, struct msg, node);

		list_del(&m->node);
		free(m);
	}
	free(q);
}

SYS_HANDLER(msgget)
{
	struct ipc_ids *ids = ids_of(t);
	struct ipc_perm *p;
	struct msg_queue *q;
	int flags = (int)a[1], ret = ipc_get_common(ids, t, (int32_t)a[0], flags, &p);

	if (ret < 0)
		return ret;
	if (!ret)
		return ipc_permitted(t, p, flags & 0777) ? p->id : -EACCES;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->perm.free = queue_free;
	q->max_bytes = (uint64_t)sysctl_msgmnb;
	q->ctime = ipc_time();
	list_init(&q->msgs);
	waitq_init(&q->readers);
	waitq_init(&q->writers);
	ret = ipc_add(ids, &q->perm, (int32_t)a[0], (uint32_t)flags, t, (unsigned)sysctl_msgmni);
	if (ret) {
		free(q);
		return ret;
	}
	return q->perm.id;
}

static bool fits(const struct msg_queue *q, size_t size)
{
	return q->bytes + size <= q->max_bytes && q->count + 1 <= q->max_bytes;
}

SYS_HANDLER(msgsnd)
{
	int flags = (int)a[3];
	size_t size = a[2];
	struct msg_queue *q;
	struct msg *m;
	int64_t type;
	int err = 0;

	if (user_get(t, type, a[1]))
		return -EFAULT;
	if (size > (uint64_t)sysctl_msgmax || (int)a[0] < 0 || type < 1)
		return -EINVAL;
	m = malloc(sizeof(*m) + size);
	if (!m)
		return -ENOMEM;
	if (size && user_read(t, m->data, a[1] + 8, size)) {
		free(m);
		return -EFAULT;
	}
	m->type = type;
	m->size = size;
	q = (struct msg_queue *)ipc_find(ids_of(t), (int)a[0]);
	if (!q || !ipc_permitted(t, &q->perm, 0222)) {
		free(m);
		return q ? -EACCES : -EINVAL;
	}
	ipc_get(&q->perm);
	t->wchan = "do_msgsnd";
	if (!fits(q, size))
		err = flags & ABI_IPC_NOWAIT
			      ? -EAGAIN
			      : WAIT_EVENT_INTR(&q->writers, q->perm.deleted || fits(q, size));
	t->wchan = NULL;
	if (q->perm.deleted)
		err = -EIDRM;
	else if (!err && !ipc_permitted(t, &q->perm, 0222))
		err = -EACCES;
	if (err) {
		free(m);
		ipc_put(&q->perm);
		return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
	}
	list_add_tail(&q->msgs, &m->node);
	q->bytes += size;
	q->count++;
	q->lspid = t->signal->pid;
	q->stime = ipc_time();
	waitq_wake_all(&q->readers);
	ipc_put(&q->perm);
	return 0;
}

/* The message that a receiver asks for (msgop(2)), or NULL. */
static struct msg *pick(struct msg_queue *q, int64_t type, int flags)
{
	struct msg *m, *best = NULL;
	int64_t n = 0;

	LIST_FOR_EACH (m, &q->msgs, node) {
		if (flags & ABI_MSG_COPY) {
			if (n++ == type)
				return m;
		} else if (!type) {
			return m;
		} else if (type > 0) {
			if ((m->type == type) != ((flags & ABI_MSG_EXCEPT) != 0))
				return m;
		} else if (m->type <= -type && (!best || m->type < best->type)) {
			best = m;
		}
	}
	return best;
}

SYS_HANDLER(msgrcv)
{
	int flags = (int)a[4];
	int64_t type = (int64_t)a[3];
	struct msg_queue *q;
	struct msg *m = NULL;
	long ret;
	int err = 0;

	if ((int)a[0] < 0 || (int64_t)a[2] < 0)
		return -EINVAL;
	if (flags & ABI_MSG_COPY && (flags & ABI_MSG_EXCEPT || !(flags & ABI_IPC_NOWAIT)))
		return -EINVAL;
	if (type == INT64_MIN)
		type++;
	q = (struct msg_queue *)ipc_find(ids_of(t), (int)a[0]);
	if (!q)
		return -EINVAL;
	if (!ipc_permitted(t, &q->perm, 0444))
		return -EACCES;
	ipc_get(&q->perm);
	m = pick(q, type, flags);
	t->wchan = "do_msgrcv";
	if (!m)
		err = flags & ABI_IPC_NOWAIT ? -ENOMSG
					     : WAIT_EVENT_INTR(&q->readers, q->perm.deleted ||
								       (m = pick(q, type, flags)));
	t->wchan = NULL;
	if (q->perm.deleted)
		err = -EIDRM;
	else if (!err && a[2] < m->size && !(flags & ABI_MSG_NOERROR))
		err = -E2BIG;
	if (err) {
		ipc_put(&q->perm);
		return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
	}
	ret = (long)MIN(m->size, (size_t)a[2]);
	if (!(flags & ABI_MSG_COPY)) {
		list_del(&m->node);
		q->bytes -= m->size;
		q->count--;
		q->lrpid = t->signal->pid;
		q->rtime = ipc_time();
		waitq_wake_all(&q->writers);
	}
	/* as on Linux the message is lost when the buffer is bad */
	if (user_put(t, m->type, a[1]) || (ret && user_write(t, a[1] + 8, m->data, (size_t)ret)))
		ret = -EFAULT;
	if (!(flags & ABI_MSG_COPY))
		free(m);
	ipc_put(&q->perm);
	return ret;
}

static long msg_stat(struct task *t, int id, int cmd, uint64_t ubuf)
{
	struct ipc_ids *ids = ids_of(t);
	struct abi_msqid64_ds ds = {0};
	struct msg_queue *q = (struct msg_queue *)(cmd == ABI_IPC_STAT ? ipc_find(ids, id) : ipc_at(ids, id));

	if (!q)
		return -EINVAL;
	if (cmd != ABI_MSG_STAT_ANY && !ipc_permitted(t, &q->perm, 0444))
		return -EACCES;
	ipc_perm_out(&q->perm, &ds.perm);
	ds.stime = q->stime;
	ds.rtime = q->rtime;
	ds.ctime = q->ctime;
	ds.cbytes = q->bytes;
	ds.qnum = q->count;
	ds.qbytes = q->max_bytes;
	ds.lspid = (int32_t)q->lspid;
	ds.lrpid = (int32_t)q->lrpid;
	if (user_put(t, ds, ubuf))
		return -EFAULT;
	return cmd == ABI_IPC_STAT ? 0 : q->perm.id;
}

static long msg_info(struct task *t, int cmd, uint64_t ubuf)
{
	struct ipc_ids *ids = ids_of(t);
	struct abi_msginfo mi = {.max = (int32_t)sysctl_msgmax,
				 .mnb = (int32_t)sysctl_msgmnb,
				 .mni = (int32_t)sysctl_msgmni,
				 .ssz = 16,
				 .seg = 0xffff};

	if (cmd == ABI_MSG_INFO) {
		mi.pool = (int32_t)ids->used;
		for (unsigned i = 0; i < ids->count; i++) {
			const struct msg_queue *q = (struct msg_queue *)ids->slot[i];

			if (q) {
				mi.map += (int32_t)q->count;
				mi.tql += (int32_t)q->bytes;
			}
		}
	} else {
		mi.map = mi.mnb;
		mi.pool = (int32_t)(sysctl_msgmni * sysctl_msgmnb / 1024);
		mi.tql = mi.mnb;
	}
	return user_put(t, mi, ubuf) ? -EFAULT : ipc_highest(ids);
}

SYS_HANDLER(msgctl)
{
	struct ipc_ids *ids = ids_of(t);
	int id = (int)a[0], cmd = (int)a[1];
	struct abi_msqid64_ds ds;
	struct msg_queue *q;

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case ABI_IPC_INFO:
	case ABI_MSG_INFO:
		return msg_info(t, cmd, a[2]);
	case ABI_IPC_STAT:
	case ABI_MSG_STAT:
	case ABI_MSG_STAT_ANY:
		return msg_stat(t, id, cmd, a[2]);
	case ABI_IPC_SET:
		if (user_get(t, ds, a[2]))
			return -EFAULT;
		break;
	case ABI_IPC_RMID:
		break;
	default:
		return -EINVAL;
	}
	q = (struct msg_queue *)ipc_find(ids, id);
	if (!q)
		return -EINVAL;
	if (!ipc_owner(t, &q->perm))
		return -EPERM;
	if (cmd == ABI_IPC_RMID) {
		ipc_get(&q->perm);
		ipc_remove(ids, &q->perm);
		waitq_wake_all(&q->readers);
		waitq_wake_all(&q->writers);
		ipc_put(&q->perm);
		return 0;
	}
	if (ds.qbytes > (uint64_t)sysctl_msgmnb && !capable(t, CAP_SYS_RESOURCE))
		return -EPERM;
	ipc_perm_set(&q->perm, &ds.perm);
	q->max_bytes = ds.qbytes;
	q->ctime = ipc_time();
	waitq_wake_all(&q->writers);
	return 0;
}

int proc_show_sysvipc_msg(struct seqbuf *s, struct task *t, const struct proc_inode *pi)
{
	struct task *cur = current_task();
	struct ipc_ids *ids;

	seq_puts(s, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
		    "      stime      rtime      ctime\n");
	if (!cur)
		return 0;
	ids = ids_of(cur);
	for (unsigned i = 0; i < ids->count; i++) {
		const struct msg_queue *q = (struct msg_queue *)ids->slot[i];

		if (q)
			seq_printf(s, "%10d %10d  %4o  %10llu %10llu %5u %5u %5u %5u %5u %5u %10lld %10lld %10lld\n",
				   q->perm.key, q->perm.id, q->perm.mode, (unsigned long long)q->bytes,
				   (unsigned long long)q->count, q->lspid, q->lrpid, q->perm.uid, q->perm.gid,
				   q->perm.cuid, q->perm.cgid, (long long)q->stime, (long long)q->rtime,
				   (long long)q->ctime);
	}
	return 0;
}
