/* devpts. The instance holds one inode for each pty, so that chmod and chown of a node last as long
 * as the pty. */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "common/base/util.h"
#include "services/sysd/fs/dev/chrdev.h"
#include "services/sysd/fs/devpts/devpts.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/task/task.h"
#include "services/sysd/tty/tty.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

#define DEVPTS_MAGIC 0x1cd1
#define PTMX_INO 2
#define SLOTS_MAX 4096u

struct slot {
	struct tty *tty;
	struct inode *inode;
};
struct devpts {
	struct super_block *sb;  /* NULL once it is unmounted */
	unsigned refs;           /* the super block and the ttys */
	struct slot *slots;
	unsigned slot_count;
	bool has_uid, has_gid;
	uint32_t uid, gid, mode, ptmxmode, max;
	struct inode *ptmx;
};

static const struct super_ops devpts_sops;

struct devpts *devpts_of_sb(const struct super_block *sb)
{
	return sb && sb->op == &devpts_sops ? sb->priv : NULL;
}

static void devpts_unref(struct devpts *dp)
{
	if (--dp->refs)
		return;
	free(dp->slots);
	free(dp);
}

static int devpts_getattr(struct inode *inode)
{
	return 0;
}

static const struct inode_ops node_iops = {.getattr = devpts_getattr};

static struct inode *node_new(struct super_block *sb, uint32_t mode, uint64_t rdev, uint64_t ino)
{
	struct inode *inode = inode_new(sb, S_IFCHR | (mode & 07777));

	if (!inode)
		return NULL;
	inode->op = &node_iops;
	inode->fop = &chrdev_fops;
	inode->rdev = rdev;
	inode->ino = ino;
	inode->blksize = 1024;
	return inode;
}

int devpts_add(struct devpts *dp, struct tty *tty)
{
	struct task *t = current_task();
	struct inode *inode;
	unsigned i;

	if (!dp->sb)
		return -ENODEV;
	for (i = 0; i < dp->slot_count && dp->slots[i].tty; i++)
		;
	if (i >= MIN(dp->max, SLOTS_MAX) || sysctl_pty_nr >= sysctl_pty_max)
		return -ENOSPC;
	if (i == dp->slot_count) {
		unsigned count = dp->slot_count ? dp->slot_count * 2 : 8;
		struct slot *more = realloc(dp->slots, count * sizeof(*more));

		if (!more)
			return -ENOMEM;
		memset(more + dp->slot_count, 0, (count - dp->slot_count) * sizeof(*more));
		dp->slots = more;
		dp->slot_count = count;
	}
	inode = node_new(dp->sb, dp->mode, makedev(TTY_MAJOR_PTS, i), i + 3);
	if (!inode)
		return -ENOMEM;
	inode->uid = dp->has_uid ? dp->uid : t ? t->cred->fsuid : 0;
	inode->gid = dp->has_gid ? dp->gid : t ? t->cred->fsgid : 0;
	dp->slots[i] = (struct slot){tty_ref(tty), inode};
	dp->refs++;
	tty->index = (int)i;
	tty->devpts = dp;
	sysctl_pty_nr++;
	return 0;
}

void devpts_remove(struct tty *tty)
{
	struct devpts *dp = tty->devpts;
	struct slot *s;

	if (!dp)
		return;
	s = &dp->slots[tty->index];
	tty->devpts = NULL;
	if (s->inode) {
		s->inode->nlink = 0;
		inode_unref(s->inode);
	}
	*s = (struct slot){0};
	sysctl_pty_nr--;
	devpts_unref(dp);
	tty_unref(tty);
}

struct tty *devpts_find(const struct inode *inode)
{
	struct devpts *dp = devpts_of_sb(inode->sb);
	unsigned i = minor(inode->rdev);

	if (!dp || i >= dp->slot_count || dp->slots[i].inode != inode)
		return NULL;
	return dp->slots[i].tty;
}

static struct inode *find_name(struct devpts *dp, const char *name)
{
	char *end;
	unsigned long i;

	if (!strcmp(name, "ptmx"))
		return dp->ptmx;
	if (name[0] < '0' || name[0] > '9' || (name[0] == '0' && name[1]))
		return NULL;
	i = strtoul(name, &end, 10);
	return *end || i >= dp->slot_count ? NULL : dp->slots[i].inode;
}

static int root_lookup(struct inode *dir, struct dentry *dentry)
{
	struct devpts *dp = dir->sb->priv;
	struct inode *inode = find_name(dp, dentry->name);

	if (inode)
		d_instantiate(dentry, inode_ref(inode));
	return 0;
}

static bool emit(struct file *file, struct dir_context *ctx, const char *name, int64_t next, uint64_t ino,
		 uint32_t mode)
{
	if (!ctx->emit(ctx, name, strlen(name), next, ino, mode >> 12))
		return false;
	file->pos = next;
	return true;
}

static int root_iterate(struct file *file, struct dir_context *ctx)
{
	struct devpts *dp = file->inode->sb->priv;
	char name[16];

	if (file->pos == 0 && !emit(file, ctx, ".", 1, file->inode->ino, S_IFDIR))
		return 0;
	if (file->pos == 1 && !emit(file, ctx, "..", 2, file->path.dentry->parent->inode->ino, S_IFDIR))
		return 0;
	if (file->pos == 2 && !emit(file, ctx, "ptmx", 3, PTMX_INO, S_IFCHR))
		return 0;
	for (int64_t i = file->pos - 3; i >= 0 && i < (int64_t)dp->slot_count; i++) {
		if (!dp->slots[i].tty)
			continue;
		snprintf(name, sizeof(name), "%d", (int)i);
		if (!emit(file, ctx, name, i + 4, dp->slots[i].inode->ino, S_IFCHR))
			return 0;
	}
	return 0;
}

static int64_t root_llseek(struct file *file, int64_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += file->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0)
		return -EINVAL;
	return file->pos = off;
}

static const struct inode_ops root_iops = {.lookup = root_lookup};
static const struct file_ops root_fops = {.iterate = root_iterate, .llseek = root_llseek};

static int parse(struct devpts *dp, const char *data)
{
	CLEANUP_FREE char *copy = data ? strdup(data) : NULL;
	char *save = NULL;

	for (char *o = copy ? strtok_r(copy, ",", &save) : NULL; o; o = strtok_r(NULL, ",", &save)) {
		char *eq = strchr(o, '='), *end = NULL;
		unsigned long v;

		if (!strcmp(o, "newinstance") || !strcmp(o, "rw") || !strcmp(o, "ro"))
			continue;
		if (!eq)
			return -EINVAL;
		*eq++ = 0;
		v = strtoul(eq, &end, !strcmp(o, "mode") || !strcmp(o, "ptmxmode") ? 8 : 10);
		if (end == eq || *end)
			return -EINVAL;
		if (!strcmp(o, "uid")) {
			dp->has_uid = true;
			dp->uid = (uint32_t)v;
		} else if (!strcmp(o, "gid")) {
			dp->has_gid = true;
			dp->gid = (uint32_t)v;
		} else if (!strcmp(o, "mode")) {
			dp->mode = (uint32_t)v & 07777;
		} else if (!strcmp(o, "ptmxmode")) {
			dp->ptmxmode = (uint32_t)v & 07777;
		} else if (!strcmp(o, "max")) {
			if (v > SLOTS_MAX)
				return -EINVAL;
			dp->max = (uint32_t)v;
		} else {
			return -EINVAL;
		}
	}
	return 0;
}

static int devpts_remount(struct super_block *sb, const char *data)
{
	struct devpts *dp = sb->priv;
	int err = parse(dp, data);

	if (!err)
		dp->ptmx->mode = S_IFCHR | dp->ptmxmode;
	return err;
}

static int devpts_show(struct super_block *sb, char *buf, size_t size)
{
	const struct devpts *dp = sb->priv;
	int n = 0;

	if (dp->has_uid)
		n += snprintf(buf + n, size - (size_t)n, ",uid=%u", dp->uid);
	if (dp->has_gid)
		n += snprintf(buf + n, size - (size_t)n, ",gid=%u", dp->gid);
	n += snprintf(buf + n, size - (size_t)n, ",mode=%03o,ptmxmode=%03o", dp->mode, dp->ptmxmode);
	if (dp->max < SLOTS_MAX)
		n += snprintf(buf + n, size - (size_t)n, ",max=%u", dp->max);
	return n;
}

static int devpts_statfs(struct super_block *sb, struct kstatfs *ret)
{
	*ret = (struct kstatfs){.type = DEVPTS_MAGIC, .bsize = 4096, .frsize = 4096, .namelen = 255};
	return 0;
}

/* Nodes come and go without a call on the directory. */
static int devpts_revalidate(struct dentry *dentry)
{
	struct devpts *dp = devpts_of_sb(dentry->sb);

	return dentry->inode && dp && find_name(dp, dentry->name) == dentry->inode;
}

/* The ptys that are still open live on without their nodes. */
static void devpts_kill(struct super_block *sb)
{
	struct devpts *dp = sb->priv;

	if (!dp)
		return;
	for (unsigned i = 0; i < dp->slot_count; i++) {
		inode_unref(dp->slots[i].inode);
		dp->slots[i].inode = NULL;
	}
	inode_unref(dp->ptmx);
	dp->sb = NULL;
	sb->priv = NULL;
	devpts_unref(dp);
}

static const struct super_ops devpts_sops = {
	.statfs = devpts_statfs,
	.remount = devpts_remount,
	.show_options = devpts_show,
	.revalidate = devpts_revalidate,
	.kill = devpts_kill,
};

static int devpts_mount(const struct fs_type *type, const char *source, const char *data,
			unsigned sb_flags, struct super_block **ret_sb)
{
	struct devpts *dp = calloc(1, sizeof(*dp));
	struct super_block *sb;
	struct inode *root;
	int err;

	if (!dp)
		return -ENOMEM;
	dp->refs = 1;
	dp->mode = 0600;
	dp->max = SLOTS_MAX;
	err = parse(dp, data);
	sb = err ? NULL : super_new(type, &devpts_sops, DEVPTS_MAGIC);
	if (!sb) {
		free(dp);
		return err ? err : -ENOMEM;
	}
	sb->priv = dp;
	sb->flags = sb_flags;
	dp->sb = sb;
	dp->ptmx = node_new(sb, dp->ptmxmode, makedev(5, 2), PTMX_INO);
	root = inode_new(sb, S_IFDIR | 0755);
	if (root) {
		root->op = &root_iops;
		root->fop = &root_fops;
		root->ino = 1;
		root->nlink = 2;
		sb->root = d_alloc_root(root);
	}
	if (!dp->ptmx || !sb->root) {
		super_unref(sb); /* kill() takes the rest */
		return -ENOMEM;
	}
	*ret_sb = sb;
	return 0;
}

static struct fs_type devpts_type = {.name = "devpts", .nodev = true, .mount = devpts_mount};

void devpts_init(void)
{
	fs_type_register(&devpts_type);
}
