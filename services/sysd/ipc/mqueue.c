/* POSIX message queues (mq_overview(7)): the queues and their system calls. */
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/ipc/ipc_ns.h"
#include "services/sysd/ipc/mqueue.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/task/ucount.h"
#include "services/sysd/time/clockid.h"
#include "services/sysd/time/timespec.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/namei.h"
#include "services/sysd/vfs/poll.h"

#define MQ_PRIO_MAX 32768u
#define HARD_MSG_MAX 65536
#define HARD_SIZE_MAX (16 << 20)
#define SI_MESGQ_CODE -3

struct mq_msg {
	struct list node;
	uint32_t prio;
	size_t size;
	uint8_t data[];
};

struct mqueue *mqueue_find(struct ipc_ns *ns, const char *name)
{
	struct mqueue *q;

	LIST_FOR_EACH (q, &ns->mqueues, node)
		if (!strcmp(q->name, name))
			return q;
	return NULL;
}

struct mqueue *mqueue_ref(struct mqueue *q)
{
	q->refs++;
	return q;
}

void mqueue_unref(struct mqueue *q)
{
	if (--q->refs)
		return;
	while (!list_empty(&q->msgs)) {
		struct mq_msg *m = LIST_FIRST(&q->msgs, struct mq_msg, node);

		list_del(&m->node);
		free(m);
	}
	q->owner->mq_bytes -= q->charged;
	ucount_unref(q->owner);
	free(q->name);
	free(q);
}

void mqueue_unlink(struct mqueue *q)
{
	struct inode *inode = q->inode;

	if (!q->ns)
		return;
	q->ns->mq_count--;
	q->ns = NULL;
	q->inode = NULL;
	list_del(&q->node);
	if (inode) {
		inode->nlink = 0;
		inode_unref(inode);
	}
	mqueue_unref(q);
}

/* What a queue takes of its owner's RLIMIT_MSGQUEUE (mq_overview(7)), until nobody has it open any more. */
static uint64_t charge_of(int64_t max_msgs, int64_t msg_size)
{
	return (uint64_t)max_msgs * 48 + (uint64_t)MIN(max_msgs, (int64_t)MQ_PRIO_MAX) * 48 +
	       (uint64_t)max_msgs * (uint64_t)msg_size;
}

static int check_attr(struct task *t, int64_t max_msgs, int64_t msg_size)
{
	if (max_msgs <= 0 || msg_size <= 0)
		return -EINVAL;
	if (capable(t, CAP_SYS_RESOURCE)) {
		if (max_msgs > HARD_MSG_MAX || msg_size > HARD_SIZE_MAX)
			return -EINVAL;
	} else if (max_msgs > sysctl_mq_msg_max || msg_size > sysctl_mq_msgsize_max) {
		return -EINVAL;
	}
	return 0;
}

int mqueue_create(struct ipc_ns *ns, struct task *t, const char *name, uint32_t mode,
		  const struct abi_mq_attr *attr, struct mqueue **ret)
{
	int64_t max_msgs = attr ? attr->maxmsg : MIN(sysctl_mq_msg_max, sysctl_mq_msg_default);
	int64_t msg_size = attr ? attr->msgsize : MIN(sysctl_mq_msgsize_max, sysctl_mq_msgsize_default);
	struct ucount *owner;
	struct mqueue *q;
	uint64_t charge;
	int err = attr ? check_attr(t, max_msgs, msg_size) : 0;

	if (err)
		return err;
	if (ns->mq_count >= (unsigned)sysctl_mq_queues_max && !capable(t, CAP_SYS_RESOURCE))
		return -ENOSPC;
	owner = ucount_get(t->cred->uid);
	if (!owner)
		return -ENOMEM;
	charge = charge_of(max_msgs, msg_size);
	if (owner->mq_bytes + charge > t->signal->rlim[RLIMIT_MSGQUEUE].rlim_cur) {
		ucount_unref(owner);
		return -EMFILE;
	}
	q = calloc(1, sizeof(*q));
	if (q)
		q->name = strdup(name);
	if (!q || !q->name) {
		free(q);
		ucount_unref(owner);
		return -ENOMEM;
	}
	q->refs = 1;
	q->ns = ns;
	q->mode = S_IFREG | (mode & 0777 & ~t->fs->umask);
	q->uid = t->cred->fsuid;
	q->gid = t->cred->fsgid;
	q->max_msgs = max_msgs;
	q->msg_size = msg_size;
	q->owner = owner;
	q->charged = charge;
	owner->mq_bytes += charge;
	list_init(&q->msgs);
	waitq_init(&q->readers);
	waitq_init(&q->writers);
	list_add_tail(&ns->mqueues, &q->node);
	ns->mq_count++;
	*ret = q;
	return 0;
}

/* ---- open and unlink ------------------------------------------------------------------------ */

/* The library has taken the leading slash away. */
static int read_name(struct task *t, uint64_t uaddr, char name[256])
{
	ssize_t n = user_read_str(t, name, uaddr, 256);

	if (n < 0)
		return (int)n;
	if (!n)
		return -ENOENT;
	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EACCES;
	return 0;
}

static int open_mask(int oflag)
{
	switch (oflag & O_ACCMODE) {
	case O_RDONLY:
		return MAY_READ;
	case O_WRONLY:
		return MAY_WRITE;
	default:
		return MAY_READ | MAY_WRITE;
	}
}

SYS_HANDLER(mq_open)
{
	struct ipc_ns *ns = ipc_ns_of(t);
	int oflag = (int)a[1], fd, err;
	struct abi_mq_attr attr;
	bool created = false;
	char name[256], shown[258];
	struct inode *inode;
	struct file *file;
	struct mqueue *q;

	if (a[3] && oflag & O_CREAT && user_get(t, attr, a[3]))
		return -EFAULT;
	if ((oflag & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	err = read_name(t, a[0], name);
	if (err)
		return err;
	q = mqueue_find(ns, name);
	if (!q) {
		if (!(oflag & O_CREAT))
			return -ENOENT;
		err = mqueue_create(ns, t, name, (uint32_t)a[2], a[3] ? &attr : NULL, &q);
		if (err)
			return err;
		created = true;
	} else {
		if (oflag & O_CREAT && oflag & O_EXCL)
			return -EEXIST;
		inode = mqueue_inode(q);
		if (!inode)
			return -ENOMEM;
		err = inode_permission(inode, t, open_mask(oflag));
		if (err)
			return err;
	}
	snprintf(shown, sizeof(shown), "/%s", name);
	mqueue_ref(q);
	err = file_new_anon(shown, q->mode, &mqueue_fops,
			    (unsigned)oflag & (O_ACCMODE | O_NONBLOCK), q, &file);
	if (err) {
		mqueue_unref(q);
		if (created)
			mqueue_unlink(q);
		return err;
	}
	file->inode->uid = q->uid;
	file->inode->gid = q->gid;
	fd = fd_install(t, file, 0, oflag & O_CLOEXEC);
	if (fd < 0) {
		if (created)
			mqueue_unlink(q);
		file_unref(file);
	}
	return fd;
}

SYS_HANDLER(mq_unlink)
{
	char name[256];
	struct mqueue *q;
	int err = read_name(t, a[0], name);

	if (err)
		return err;
	q = mqueue_find(ipc_ns_of(t), name);
	if (!q)
		return -ENOENT;
	/* the directory is sticky and open to all */
	if (t->cred->fsuid != q->uid && !capable(t, CAP_FOWNER))
		return -EPERM;
	mqueue_unlink(q);
	return 0;
}

/* ---- messages ------------------------------------------------------------------------------- */

static int queue_of(struct task *t, int fd, struct file **ret_file)
{
	struct file *f = fd_get(t, fd);

	if (!f || f->op != &mqueue_fops) {
		if (f)
			file_unref(f);
		return -EBADF;
	}
	*ret_file = f;
	return 0;
}

static int deadline_of(struct task *t, uint64_t utime, uint64_t *ret)
{
	struct abi_timespec ts;
	int err;

	*ret = KTIMER_NEVER;
	if (!utime)
		return 0;
	err = user_timespec(t, &ts, utime);
	if (!err)
		*ret = clock_to_mono(ABI_CLOCK_REALTIME, timespec_ns(&ts));
	return err;
}

/* A message came into an empty queue that nobody waits at: tells the registered process, once. */
static void notify(struct mqueue *q, struct task *sender)
{
	struct signal *sig = q->notify_pid ? signal_find(q->notify_pid) : NULL;
	struct abi_siginfo info = {.si_signo = q->notify_signo, .si_code = SI_MESGQ_CODE};

	if (!q->notify_pid)
		return;
	q->notify_pid = 0;
	if (!sig || q->notify_how != ABI_SIGEV_SIGNAL)
		return;
	info.rt.pid = (int32_t)sender->signal->pid;
	info.rt.uid = sender->cred->uid;
	info.rt.value = q->notify_value;
	signal_send_group(sig, q->notify_signo, &info);
}

static void insert(struct mqueue *q, struct mq_msg *m)
{
	struct mq_msg *pos;
	struct list *before = &q->msgs;

	LIST_FOR_EACH (pos, &q->msgs, node)
		if (pos->prio < m->prio) {
			before = &pos->node;
			break;
		}
	list_add_tail(before, &m->node);
	q->count++;
	q->bytes += (int64_t)m->size;
}

static long do_send(struct task *t, struct file *f, uint64_t uaddr, size_t size, uint32_t prio,
		    uint64_t deadline)
{
	struct mqueue *q = f->priv;
	struct mq_msg *m;
	int err = 0;

	if (!f->writable)
		return -EBADF;
	if (size > (size_t)q->msg_size)
		return -EMSGSIZE;
	m = malloc(sizeof(*m) + size);
	if (!m)
		return -ENOMEM;
	if (user_read(t, m->data, uaddr, size)) {
		free(m);
		return -EFAULT;
	}
	m->prio = prio;
	m->size = size;
	if (q->count >= q->max_msgs) {
		t->wchan = "wq_sleep";
		err = f->flags & O_NONBLOCK
			      ? -EAGAIN
			      : WAIT_EVENT_INTR_TIMEOUT(&q->writers, q->count < q->max_msgs, deadline);
		t->wchan = NULL;
	}
	if (err) {
		free(m);
		return err;
	}
	insert(q, m);
	if (q->count == 1 && !q->waiting_readers)
		notify(q, t);
	waitq_wake(&q->readers, INT32_MAX, EPOLLIN | EPOLLRDNORM);
	return 0;
}

static long do_receive(struct task *t, struct file *f, uint64_t uaddr, size_t size, uint64_t uprio,
		       uint64_t deadline)
{
	struct mqueue *q = f->priv;
	struct mq_msg *m;
	int err = 0;
	long ret;

	if (!f->readable)
		return -EBADF;
	if (size < (size_t)q->msg_size)
		return -EMSGSIZE;
	if (!q->count) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		q->waiting_readers++;
		t->wchan = "wq_sleep";
		err = WAIT_EVENT_INTR_TIMEOUT(&q->readers, q->count, deadline);
		t->wchan = NULL;
		q->waiting_readers--;
		if (err)
			return err;
	}
	m = LIST_FIRST(&q->msgs, struct mq_msg, node);
	list_del(&m->node);
	q->count--;
	q->bytes -= (int64_t)m->size;
	waitq_wake(&q->writers, INT32_MAX, EPOLLOUT | EPOLLWRNORM);
	ret = (long)m->size;
	if ((uprio && user_put(t, m->prio, uprio)) || user_write(t, uaddr, m->data, m->size))
		ret = -EFAULT;
	free(m);
	return ret;
}

SYS_HANDLER(mq_timedsend)
{
	struct file *f;
	uint64_t deadline;
	long ret = deadline_of(t, a[4], &deadline);

	if (ret)
		return ret;
	if ((uint32_t)a[3] >= MQ_PRIO_MAX)
		return -EINVAL;
	ret = queue_of(t, (int)a[0], &f);
	if (ret)
		return ret;
	ret = do_send(t, f, a[1], a[2], (uint32_t)a[3], deadline);
	file_unref(f);
	return ret;
}

SYS_HANDLER(mq_timedreceive)
{
	struct file *f;
	uint64_t deadline;
	long ret = deadline_of(t, a[4], &deadline);

	if (!ret)
		ret = queue_of(t, (int)a[0], &f);
	if (ret)
		return ret;
	ret = do_receive(t, f, a[1], a[2], a[3], deadline);
	file_unref(f);
	return ret;
}

static long do_notify(struct task *t, struct mqueue *q, const struct abi_sigevent *ev)
{
	if (!ev) {
		if (q->notify_pid == t->signal->pid)
			q->notify_pid = 0;
		return 0;
	}
	if (q->notify_pid && signal_find(q->notify_pid))
		return -EBUSY;
	q->notify_pid = t->signal->pid;
	q->notify_how = ev->notify;
	q->notify_signo = ev->signo;
	q->notify_value = ev->value;
	return 0;
}

SYS_HANDLER(mq_notify)
{
	struct abi_sigevent ev;
	struct file *f;
	long ret;

	if (a[1]) {
		if (user_get(t, ev, a[1]))
			return -EFAULT;
		if (ev.notify == ABI_SIGEV_THREAD)
			return -ENOSYS; /* goes through a netlink socket of the library's */
		if (ev.notify != ABI_SIGEV_NONE && ev.notify != ABI_SIGEV_SIGNAL)
			return -EINVAL;
		if (ev.notify == ABI_SIGEV_SIGNAL && (ev.signo < 0 || ev.signo > SIG_COUNT))
			return -EINVAL;
	}
	ret = queue_of(t, (int)a[0], &f);
	if (ret)
		return ret;
	ret = do_notify(t, f->priv, a[1] ? &ev : NULL);
	file_unref(f);
	return ret;
}

SYS_HANDLER(mq_getsetattr)
{
	struct abi_mq_attr in, out = {0};
	struct mqueue *q;
	struct file *f;
	long ret;

	if (a[1]) {
		if (user_get(t, in, a[1]))
			return -EFAULT;
		if (in.flags & ~(int64_t)O_NONBLOCK)
			return -EINVAL;
	}
	ret = queue_of(t, (int)a[0], &f);
	if (ret)
		return ret;
	q = f->priv;
	out.flags = f->flags & O_NONBLOCK;
	out.maxmsg = q->max_msgs;
	out.msgsize = q->msg_size;
	out.curmsgs = q->count;
	if (a[1])
		f->flags = (f->flags & ~(unsigned)O_NONBLOCK) | ((unsigned)in.flags & O_NONBLOCK);
	file_unref(f);
	return a[2] ? user_put(t, out, a[2]) : 0;
}

/* ---- the file ------------------------------------------------------------------------------- */

static int mq_open_file(struct inode *inode, struct file *file)
{
	/* the file that mq_open made has no place in the file system to open it from again */
	if (!inode->priv)
		return -ENXIO;
	file->priv = mqueue_ref(inode->priv);
	return 0;
}

static void mq_release(struct file *file)
{
	mqueue_unref(file->priv);
}

/* A process that closes a descriptor gives up its registration. */
static int mq_flush(struct file *file, struct task *t)
{
	struct mqueue *q = file->priv;

	if (q->notify_pid == t->signal->pid)
		q->notify_pid = 0;
	return 0;
}

static ssize_t mq_read(struct file *file, struct uio *u, int64_t *pos)
{
	const struct mqueue *q = file->priv;
	char text[128];
	int64_t off = pos ? *pos : 0;
	int size = snprintf(text, sizeof(text), "QSIZE:%-10lld NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6u\n",
			    (long long)q->bytes, q->notify_pid ? q->notify_how : 0,
			    q->notify_pid && q->notify_how == ABI_SIGEV_SIGNAL ? q->notify_signo : 0,
			    q->notify_pid);
	ssize_t n;

	if (off < 0 || off >= size)
		return 0;
	n = uio_copy_to(u, text + off, MIN(u->resid, (size_t)(size - off)));
	if (n > 0 && pos)
		*pos += n;
	return n;
}

static uint32_t mq_poll(struct file *file, struct poll_table *pt)
{
	struct mqueue *q = file->priv;
	uint32_t mask = 0;

	poll_wait(pt, &q->readers);
	poll_wait(pt, &q->writers);
	if (q->count)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (q->count < q->max_msgs)
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

const struct file_ops mqueue_fops = {
	.open = mq_open_file,
	.release = mq_release,
	.flush = mq_flush,
	.read = mq_read,
	.poll = mq_poll,
};
