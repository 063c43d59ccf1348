/* /proc/PID/{mounts,mountinfo,mountstats}: the mounts that the task's root can reach, in the order of
 * mounting. */
#include <stdio.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include "common/base/util.h"
#include "services/sysd/fs/proc/proc.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/mount.h"

#define ESC " \t\n\\#"

static void show_mnt_flags(struct seqbuf *s, unsigned flags)
{
	static const struct {
		unsigned flag;
		const char *text;
	} row[] = {
		{MNT_NOSUID, ",nosuid"},     {MNT_NODEV, ",nodev"},       {MNT_NOEXEC, ",noexec"},
		{MNT_NOATIME, ",noatime"},   {MNT_NODIRATIME, ",nodiratime"}, {MNT_RELATIME, ",relatime"},
		{MNT_NOSYMFOLLOW, ",nosymfollow"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		if (flags & row[i].flag)
			seq_puts(s, row[i].text);
}

static void show_sb_options(struct seqbuf *s, struct super_block *sb)
{
	char *opts;

	if (sb->flags & MS_SYNCHRONOUS)
		seq_puts(s, ",sync");
	if (!sb->op || !sb->op->show_options)
		return;
	opts = calloc(1, SBX_PAGE_SIZE);
	if (opts && sb->op->show_options(sb, opts, SBX_PAGE_SIZE) >= 0)
		seq_puts(s, opts);
	free(opts);
}

/* The place of a mount's root in its file system. */
static void show_root(struct seqbuf *s, const struct vfsmount *m)
{
	const struct dentry *chain[64];
	int n = 0;

	for (const struct dentry *d = m->root; d && d != m->sb->root && d->parent != d && n < 64; d = d->parent)
		chain[n++] = d;
	if (!n)
		seq_putc(s, '/');
	while (n--) {
		seq_putc(s, '/');
		seq_escape(s, chain[n]->name, ESC);
	}
}

static const char *mount_point(struct vfsmount *m, const struct path *root, char *buf)
{
	struct path at = {m, m->root};
	const char *p = d_path(&at, root, buf, SBX_PAGE_SIZE);

	return p && *p == '/' ? p : NULL;
}

enum style { STYLE_MOUNTS, STYLE_MOUNTINFO, STYLE_MOUNTSTATS };

static void show_one(struct seqbuf *s, struct vfsmount *m, const char *at, enum style style)
{
	const char *source = m->source ? m->source : m->sb->source ? m->sb->source : "none";
	bool ro = m->flags & MNT_READONLY, sb_ro = m->sb->flags & MS_RDONLY;

	if (style == STYLE_MOUNTSTATS) {
		seq_puts(s, "device ");
		seq_escape(s, source, ESC);
		seq_puts(s, " mounted on ");
		seq_escape(s, at, ESC);
		seq_printf(s, " with fstype %s\n", m->sb->type->name);
		return;
	}
	if (style == STYLE_MOUNTS) {
		seq_escape(s, *source ? source : "none", ESC);
		seq_putc(s, ' ');
		seq_escape(s, at, ESC);
		seq_printf(s, " %s %s", m->sb->type->name, ro || sb_ro ? "ro" : "rw");
		show_mnt_flags(s, m->flags);
		show_sb_options(s, m->sb);
		seq_puts(s, " 0 0\n");
		return;
	}
	seq_printf(s, "%i %i %u:%u ", m->id, m->parent ? m->parent->id : m->id, major(m->sb->dev),
		   minor(m->sb->dev));
	show_root(s, m);
	seq_putc(s, ' ');
	seq_escape(s, at, ESC);
	seq_puts(s, ro ? " ro" : " rw");
	show_mnt_flags(s, m->flags);
	if (m->peer_group)
		seq_printf(s, " shared:%i", m->peer_group);
	if (m->master_group)
		seq_printf(s, " master:%i", m->master_group);
	if (m->propagation == MS_UNBINDABLE)
		seq_puts(s, " unbindable");
	seq_printf(s, " - %s ", m->sb->type->name);
	seq_escape(s, *source ? source : "none", ESC);
	seq_puts(s, sb_ro ? " ro" : " rw");
	show_sb_options(s, m->sb);
	seq_putc(s, '\n');
}

static int show_all(struct seqbuf *s, struct task *t, enum style style)
{
	CLEANUP_FREE char *buf = malloc(SBX_PAGE_SIZE);
	struct vfsmount *m;

	if (!buf)
		return -ENOMEM;
	if (!t->ns || !t->ns->mnt || !t->fs)
		return -EINVAL;
	LIST_FOR_EACH (m, &t->ns->mnt->mounts, ns_node) {
		const char *at = mount_point(m, &t->fs->root, buf);

		if (at)
			show_one(s, m, at, style);
	}
	return 0;
}

PROC_SHOW(proc_show_mounts)
{
	return show_all(s, t ? t : current_task(), STYLE_MOUNTS);
}

PROC_SHOW(proc_show_mountinfo)
{
	return show_all(s, t, STYLE_MOUNTINFO);
}

PROC_SHOW(proc_show_mountstats)
{
	return show_all(s, t, STYLE_MOUNTSTATS);
}
