/* The proc file system: mounting, inodes, generated files, table directories. See proc.h. */
#include <stdio.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/fs/proc/fstype.h"
#include "services/sysd/fs/proc/proc.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/task/ptrace.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/poll.h"
#include "services/sysd/vfs/fs_struct.h"

#include <linux/capability.h>

#define PROC_MAGIC 0x9fa0

struct task *proc_task(const struct proc_inode *pi)
{
	struct task *t = pi->tid ? task_find(pi->tid) : NULL;

	return t && t->start_boot_ns == pi->start_ns ? t : NULL;
}

uint64_t proc_ino(uint32_t pid, uint32_t tid, const void *what, int64_t sub)
{
	uint64_t v[4] = {pid, tid, (uint64_t)(uintptr_t)what, (uint64_t)sub}, h = 0xcbf29ce484222325ull;

	for (int i = 0; i < 4; i++) {
		h ^= v[i];
		h *= 0x100000001b3ull;
		h ^= h >> 29;
	}
	return (h & 0x7fffffff) | 0x1000;
}

/* Who owns the files of a task: its effective user, or root when it must not be looked into. */
static void refresh_owner(struct inode *inode)
{
	const struct proc_inode *pi = proc_i(inode);
	struct task *t;

	if (!pi->tid)
		return;
	t = proc_task(pi);
	if (!t)
		return;
	if (t->signal->dumpable || inode->mode == (S_IFDIR | 0555)) {
		inode->uid = t->cred->euid;
		inode->gid = t->cred->egid;
	} else {
		inode->uid = inode->gid = 0;
	}
}

struct inode *proc_inode_new(struct super_block *sb, const struct proc_entry *e, const struct task *of)
{
	struct proc_inode *pi = calloc(1, sizeof(*pi));
	struct inode *inode = pi ? inode_new(sb, e->mode) : NULL;

	if (!inode) {
		free(pi);
		return NULL;
	}
	pi->entry = e;
	pi->fd = -1;
	if (of) {
		pi->pid = of->signal->pid;
		pi->tid = of->tid;
		pi->start_ns = of->start_boot_ns;
	}
	inode->priv = pi;
	inode->ino = proc_ino(pi->pid, pi->tid, e, 0);
	inode->blksize = 1024;
	switch (e->mode & S_IFMT) {
	case S_IFDIR:
		inode->nlink = 2;
		inode->op = e->iop ? e->iop : &proc_table_iops;
		inode->fop = e->fop ? e->fop : &proc_table_fops;
		break;
	case S_IFLNK:
		inode->op = e->iop ? e->iop : &proc_link_iops;
		break;
	default:
		inode->op = e->iop ? e->iop : &proc_file_iops;
		inode->fop = e->fop ? e->fop : &proc_file_fops;
	}
	refresh_owner(inode);
	return inode;
}

static int proc_getattr(struct inode *inode)
{
	if (proc_i(inode)->tid && !proc_task(proc_i(inode)))
		return -ENOENT;
	refresh_owner(inode);
	return 0;
}

/* chmod and chown of proc files are refused. */
static int proc_setattr(struct dentry *dentry, const struct inode_attr *attr)
{
	if (attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		return -EPERM;
	return 0; /* O_TRUNC of a setting is harmless */
}

/* ---- generated files --------------------------------------------------------------------- */

struct proc_open {
	struct seqbuf text;
	bool filled;
	uint64_t mm; /* PROC_MM: its number */
};

static uint64_t mm_number(const struct task *t)
{
	return t->mm ? t->mm->serial : 0;
}

static int file_open(struct inode *inode, struct file *file)
{
	const struct proc_inode *pi = proc_i(inode);
	struct task *t = current_task(), *of = NULL;
	struct proc_open *po;

	if (pi->tid) {
		of = proc_task(pi);
		if (!of)
			return -ENOENT;
		if (pi->entry->flags & PROC_PTRACE && t && !ptrace_may_look(t, of))
			return -EACCES;
	}
	po = calloc(1, sizeof(*po));
	if (!po)
		return -ENOMEM;
	if (of)
		po->mm = mm_number(of);
	file->priv = po;
	return 0;
}

static void file_release(struct file *file)
{
	struct proc_open *po = file->priv;

	if (po)
		seq_done(&po->text);
	free(po);
}

static int fill(struct file *file, struct proc_open *po)
{
	const struct proc_inode *pi = proc_i(file->inode);
	struct task *t = NULL, *reader = current_task();
	bool gone = false;
	int err;

	if (pi->tid) {
		t = proc_task(pi);
		if (!t)
			return -ESRCH;
		/* it may have become a program with more rights since the open */
		gone = pi->entry->flags & PROC_MM && mm_number(t) != po->mm;
		if (!gone && pi->entry->flags & PROC_PTRACE && reader && !ptrace_may_look(reader, t))
			return -EPERM;
	}
	if (!pi->entry->show)
		return -EINVAL;
	po->text.size = 0;
	po->text.failed = false;
	err = gone ? 0 : pi->entry->show(&po->text, t, pi);
	if (!err && po->text.failed)
		err = -ENOMEM;
	po->filled = !err;
	return err;
}

static ssize_t file_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct proc_open *po = file->priv;
	int64_t off = pos ? *pos : 0;
	ssize_t n;

	if (off < 0)
		return -EINVAL;
	if (off == 0 || !po->filled) {
		int err = fill(file, po);

		if (err)
			return err;
	}
	if ((uint64_t)off >= po->text.size)
		return 0;
	n = uio_copy_to(u, po->text.buf + off, MIN(u->resid, po->text.size - (size_t)off));
	if (n > 0 && pos)
		*pos += n;
	return n;
}

static ssize_t file_write(struct file *file, struct uio *u, int64_t *pos)
{
	const struct proc_inode *pi = proc_i(file->inode);
	CLEANUP_FREE char *buf = NULL;
	struct task *t = NULL;
	size_t size = u->resid;
	ssize_t n;

	if (!pi->entry->write)
		return -EIO;
	if (size > SBX_PAGE_SIZE)
		return -EINVAL;
	buf = malloc(size + 1);
	if (!buf)
		return -ENOMEM;
	n = size ? uio_copy_from(u, buf, size) : 0;
	if (n < 0)
		return n;
	buf[n] = 0;
	if (pi->tid) {
		t = proc_task(pi);
		if (!t)
			return -ESRCH;
	}
	n = pi->entry->write(t, pi, buf, (size_t)n);
	if (n > 0 && pos)
		*pos += n;
	return n;
}

static int64_t file_llseek(struct file *file, int64_t off, int whence)
{
	int64_t at;

	if (whence == SEEK_SET)
		at = off;
	else if (whence == SEEK_CUR)
		at = file->pos + off;
	else
		return -EINVAL;
	if (at < 0)
		return -EINVAL;
	file->pos = at;
	return at;
}

const struct file_ops proc_file_fops = {
	.open = file_open,
	.release = file_release,
	.read = file_read,
	.write = file_write,
	.llseek = file_llseek,
};
const struct inode_ops proc_file_iops = {.getattr = proc_getattr, .setattr = proc_setattr};

/* ---- /proc/mounts and mountinfo: readable text that can also be polled for changes ------- */

#include "services/sysd/task/nsproxy.h"
#include "services/sysd/vfs/mount.h"

static int mounts_open(struct inode *inode, struct file *file)
{
	struct task *t = current_task();
	int err = file_open(inode, file);

	if (!err && t && t->ns)
		file->version = t->ns->mnt->event;
	return err;
}

static uint32_t mounts_poll(struct file *file, struct poll_table *pt)
{
	struct task *t = current_task();
	uint32_t mask = EPOLLIN | EPOLLRDNORM;

	if (!t || !t->ns)
		return mask;
	poll_wait(pt, &t->ns->mnt->poll);
	if (file->version != t->ns->mnt->event) {
		file->version = t->ns->mnt->event;
		mask |= EPOLLERR | EPOLLPRI;
	}
	return mask;
}

const struct file_ops proc_mounts_fops = {
	.open = mounts_open,
	.release = file_release,
	.read = file_read,
	.llseek = file_llseek,
	.poll = mounts_poll,
};

/* ---- links ------------------------------------------------------------------------------ */

static int link_check(const struct proc_inode *pi, struct task *t, struct task **ret_of)
{
	*ret_of = NULL;
	if (!pi->tid)
		return 0;
	*ret_of = proc_task(pi);
	if (!*ret_of)
		return -ENOENT;
	if (pi->entry->flags & PROC_PTRACE && t && !ptrace_may_look(t, *ret_of))
		return -EACCES;
	return 0;
}

static int link_path(struct inode *inode, struct task *t, struct path *ret)
{
	const struct proc_inode *pi = proc_i(inode);
	struct task *of;
	int err = link_check(pi, t, &of);

	if (err)
		return err;
	return pi->entry->link_path ? pi->entry->link_path(of, pi, ret) : -EINVAL;
}

static int link_readlink(struct inode *inode, char **ret_target)
{
	const struct proc_inode *pi = proc_i(inode);
	struct task *t = current_task(), *of;
	CLEANUP_FREE char *buf = NULL;
	struct path path;
	char *text;
	int err = link_check(pi, t, &of);

	if (err)
		return err;
	if (pi->entry->link_text)
		return pi->entry->link_text(of ? of : t, pi, ret_target);
	err = pi->entry->link_path(of, pi, &path);
	if (err)
		return err;
	if (!path.mnt) {
		text = path.dentry->name;
	} else {
		buf = malloc(SBX_PAGE_SIZE);
		text = buf ? d_path(&path, &t->fs->root, buf, SBX_PAGE_SIZE) : NULL;
	}
	*ret_target = text ? strdup(text) : NULL;
	path_put(&path);
	return *ret_target ? 0 : -ENAMETOOLONG;
}

const struct inode_ops proc_link_iops = {
	.readlink = link_readlink,
	.get_link_path = link_path,
	.getattr = proc_getattr,
	.setattr = proc_setattr,
};
/* Links whose text is a path like any other. */
const struct inode_ops proc_textlink_iops = {
	.readlink = link_readlink,
	.getattr = proc_getattr,
	.setattr = proc_setattr,
};

/* ---- directories ------------------------------------------------------------------------ */

static bool entry_here(const struct proc_entry *e, const struct proc_inode *dir)
{
	bool tid_dir = dir->tid && dir->entry == &proc_tid_dir;

	return !((e->flags & PROC_TGID_ONLY && tid_dir) || (e->flags & PROC_TID_ONLY && !tid_dir));
}

int proc_lookup_table(struct inode *dir, struct dentry *dentry, const struct proc_entry *table)
{
	const struct proc_inode *di = proc_i(dir);
	struct task *of = NULL;
	struct inode *inode;

	if (di->tid) {
		of = proc_task(di);
		if (!of)
			return -ENOENT;
	}
	for (const struct proc_entry *e = table; e->name; e++) {
		if (strcmp(e->name, dentry->name) || !entry_here(e, di))
			continue;
		inode = proc_inode_new(dir->sb, e, of);
		if (!inode)
			return -ENOMEM;
		d_instantiate(dentry, inode);
		return 0;
	}
	return -ENOENT; /* and no negative entry: create and mkdir answer the same (proc_lookup of Linux) */
}

bool proc_emit(struct file *file, struct dir_context *ctx, const char *name, int64_t next, uint64_t ino,
	       uint32_t mode)
{
	if (!ctx->emit(ctx, name, strlen(name), next, ino, (mode & S_IFMT) >> 12))
		return false;
	file->pos = next;
	return true;
}

bool proc_emit_dots(struct file *file, struct dir_context *ctx)
{
	struct dentry *d = file->path.dentry;

	if (file->pos == 0 && !proc_emit(file, ctx, ".", 1, file->inode->ino, S_IFDIR))
		return false;
	if (file->pos == 1 && !proc_emit(file, ctx, "..", 2, d->parent->inode->ino, S_IFDIR))
		return false;
	return true;
}

bool proc_emit_table(struct file *file, struct dir_context *ctx, const struct proc_entry *table,
		     int64_t first)
{
	const struct proc_inode *pi = proc_i(file->inode);

	for (int64_t i = 0; table[i].name; i++) {
		if (first + i < file->pos)
			continue;
		if (!entry_here(&table[i], pi)) {
			file->pos = first + i + 1;
			continue;
		}
		if (!proc_emit(file, ctx, table[i].name, first + i + 1,
			       proc_ino(pi->pid, pi->tid, &table[i], 0), table[i].mode))
			return false;
	}
	return true;
}

static int table_lookup(struct inode *dir, struct dentry *dentry)
{
	return proc_lookup_table(dir, dentry, proc_i(dir)->entry->table);
}

static int table_iterate(struct file *file, struct dir_context *ctx)
{
	if (proc_emit_dots(file, ctx))
		proc_emit_table(file, ctx, proc_i(file->inode)->entry->table, 2);
	return 0;
}

const struct inode_ops proc_table_iops = {
	.lookup = table_lookup, .getattr = proc_getattr, .setattr = proc_setattr};
const struct file_ops proc_table_fops = {.iterate = table_iterate, .llseek = file_llseek};

/* ---- the root ---------------------------------------------------------------------------- */

/* hidepid=1 keeps strangers out of a directory, hidepid=2 hides it (proc(5)). */
static bool visible(const struct super_block *sb, struct task *t, const struct task *of, int level)
{
	const struct proc_sb *ps = sb->priv;

	if (!t || ps->hidepid < level)
		return true;
	if (ps->gid && cred_in_group(t->cred, ps->gid))
		return true;
	return ptrace_may_look(t, of);
}

static int root_lookup(struct inode *dir, struct dentry *dentry)
{
	struct task *of, *t = current_task();
	struct inode *inode;
	int64_t pid;

	if (proc_parse_int(dentry->name, 1, INT32_MAX, &pid) || dentry->name[0] < '1' ||
	    dentry->name[0] > '9' || strspn(dentry->name, "0123456789") != strlen(dentry->name))
		return proc_lookup_table(dir, dentry, proc_global_table);
	/* a thread's number opens its directory too, although readdir does not list it */
	of = pids_find_task(t, (int32_t)pid);
	if (!of || of->state == TASK_DEAD || !visible(dir->sb, t, of, 2))
		return -ENOENT;
	inode = proc_inode_new(dir->sb, &proc_pid_dir, of);
	if (!inode)
		return -ENOMEM;
	d_instantiate(dentry, inode);
	return 0;
}

#define PIDS_FIRST 1024

static int root_iterate(struct file *file, struct dir_context *ctx)
{
	struct task *t = current_task();
	struct super_block *sb = file->inode->sb;

	if (!proc_emit_dots(file, ctx) || !proc_emit_table(file, ctx, proc_global_table, 2))
		return 0;
	if (file->pos < PIDS_FIRST)
		file->pos = PIDS_FIRST;
	for (;;) {
		uint32_t from = (uint32_t)(file->pos - PIDS_FIRST), best = 0;
		struct signal *sig, *next = NULL;
		char name[16];

		LIST_FOR_EACH (sig, signal_all(), all_node) {
			uint32_t pid = pids_pid_of(t, sig);

			if (pid && pid >= from && (!best || pid < best) && sig->leader &&
			    sig->leader->state != TASK_DEAD && visible(sb, t, sig->leader, 2)) {
				best = pid;
				next = sig;
			}
		}
		if (!next)
			return 0;
		snprintf(name, sizeof(name), "%u", best);
		if (!proc_emit(file, ctx, name, PIDS_FIRST + (int64_t)best + 1,
			       proc_ino(next->pid, next->leader->tid, &proc_pid_dir, 0), S_IFDIR))
			return 0;
	}
}

static const struct inode_ops root_iops = {
	.lookup = root_lookup, .getattr = proc_getattr, .setattr = proc_setattr};
static const struct file_ops root_fops = {.iterate = root_iterate, .llseek = file_llseek};
static const struct proc_entry root_entry = {
	.name = "/", .mode = S_IFDIR | 0555, .iop = &root_iops, .fop = &root_fops};

bool proc_dir_permitted(const struct inode *dir, struct task *t, const struct task *of)
{
	return visible(dir->sb, t, of, 1);
}

/* ---- the file system --------------------------------------------------------------------- */

static void proc_evict(struct inode *inode)
{
	free(inode->priv);
	inode->priv = NULL;
}

static int proc_statfs(struct super_block *sb, struct kstatfs *ret)
{
	*ret = (struct kstatfs){.type = PROC_MAGIC, .bsize = 4096, .frsize = 4096, .namelen = 255};
	return 0;
}

static int proc_revalidate(struct dentry *dentry)
{
	const struct proc_inode *pi = dentry->inode ? proc_i(dentry->inode) : NULL;

	if (!pi)
		return 0; /* negative: look again */
	return !pi->tid || proc_task(pi) != NULL;
}

static int parse_options(struct proc_sb *ps, const char *data)
{
	CLEANUP_FREE char *copy = data ? strdup(data) : NULL;
	char *save = NULL;
	int64_t v;

	for (char *o = copy ? strtok_r(copy, ",", &save) : NULL; o; o = strtok_r(NULL, ",", &save)) {
		if (!strcmp(o, "hidepid=off"))
			ps->hidepid = 0;
		else if (!strcmp(o, "hidepid=noaccess"))
			ps->hidepid = 1;
		else if (!strcmp(o, "hidepid=invisible") || !strcmp(o, "hidepid=ptraceable"))
			ps->hidepid = 2;
		else if (!strncmp(o, "hidepid=", 8) && !proc_parse_int(o + 8, 0, 4, &v) && v != 3)
			ps->hidepid = v == 4 ? 2 : (int)v;
		else if (!strncmp(o, "gid=", 4) && !proc_parse_int(o + 4, 0, UINT32_MAX, &v))
			ps->gid = (uint32_t)v;
		else if (strcmp(o, "subset=pid") && strcmp(o, "rw") && strcmp(o, "ro"))
			return -EINVAL;
	}
	return 0;
}

static int proc_remount(struct super_block *sb, const char *data)
{
	return parse_options(sb->priv, data);
}

static int proc_show_options(struct super_block *sb, char *buf, size_t size)
{
	const struct proc_sb *ps = sb->priv;
	int n = 0;

	buf[0] = 0;
	if (ps->gid)
		n = snprintf(buf, size, ",gid=%u", ps->gid);
	if (ps->hidepid)
		n += snprintf(buf + n, size - (size_t)n, ",hidepid=%s",
			      ps->hidepid == 1 ? "noaccess" : "invisible");
	return n;
}

static void proc_kill(struct super_block *sb)
{
	free(sb->priv);
	sb->priv = NULL;
}

static const struct super_ops proc_sops = {
	.evict = proc_evict,
	.statfs = proc_statfs,
	.revalidate = proc_revalidate,
	.remount = proc_remount,
	.show_options = proc_show_options,
	.kill = proc_kill,
};

static int proc_mount(const struct fs_type *type, const char *source, const char *data,
		      unsigned sb_flags, struct super_block **ret_sb)
{
	struct proc_sb *ps = calloc(1, sizeof(*ps));
	struct super_block *sb;
	struct inode *root;
	int err = ps ? parse_options(ps, data) : -ENOMEM;

	sb = err ? NULL : super_new(type, &proc_sops, PROC_MAGIC);
	if (!sb) {
		free(ps);
		return err ? err : -ENOMEM;
	}
	sb->priv = ps;
	sb->flags = sb_flags;
	root = proc_inode_new(sb, &root_entry, NULL);
	sb->root = root ? d_alloc_root(root) : NULL;
	if (!sb->root) {
		inode_unref(root);
		super_unref(sb);
		return -ENOMEM;
	}
	root->ino = 1;
	*ret_sb = sb;
	return 0;
}

static struct fs_type proc_type = {.name = "proc", .nodev = true, .mount = proc_mount};

void proc_fs_init(void)
{
	fs_type_register(&proc_type);
}

int proc_parse_int(const char *buf, int64_t min, int64_t max, int64_t *ret)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(buf, &end, 10);
	if (end == buf || errno == ERANGE)
		return -EINVAL;
	while (*end == ' ' || *end == '\n' || *end == '\t')
		end++;
	if (*end)
		return -EINVAL;
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}
