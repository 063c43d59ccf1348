/* File system types and mounted file systems. A super_block is held by the mounts of it and by file
 * systems stacked on it; its cached dentries do not hold it: they are dropped with it. */
#include "services/sysd/vfs/inode.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "common/base/util.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/fsnotify.h"

static struct list types = LIST_INIT(types);

void fs_type_register(struct fs_type *type)
{
	list_add_tail(&types, &type->node);
}

struct fs_type *fs_type_find(const char *name)
{
	struct fs_type *type;

	LIST_FOR_EACH (type, &types, node) {
		if (!strcmp(type->name, name))
			return type;
	}
	return NULL;
}

struct list *fs_type_all(void)
{
	return &types;
}

struct super_block *super_new(const struct fs_type *type, const struct super_ops *op, uint64_t magic)
{
	static unsigned next_minor = 20;
	struct super_block *sb = calloc(1, sizeof(*sb));

	if (!sb)
		return NULL;
	sb->refs = 1;
	sb->type = type;
	sb->op = op;
	sb->magic = magic;
	sb->id = next_minor;
	sb->dev = makedev(0, next_minor++);
	sb->next_ino = 1;
	list_init(&sb->inodes);
	list_init(&sb->unused);
	return sb;
}

struct super_block *super_ref(struct super_block *sb)
{
	sb->refs++;
	return sb;
}

/* Watches hold inodes; they end with the file system. */
static void end_watches(struct super_block *sb)
{
	struct list *n = sb->inodes.next;

	while (n != &sb->inodes) {
		struct inode *inode = LIST_ENTRY(n, struct inode, sb_node);

		n = n->next;
		if (list_empty(&inode->watches) || !fsnotify_inode_gone)
			continue;
		inode_ref(inode);
		fsnotify_inode(inode, NULL, IN_UNMOUNT, 0);
		fsnotify_inode_gone(inode);
		n = inode->sb_node.next;
		inode_unref(inode);
	}
}

void super_unref(struct super_block *sb)
{
	if (!sb || --sb->refs)
		return;
	sb->refs = 1; /* what follows may take and drop references */
	end_watches(sb);
	sb->dying = true;
	d_prune(sb, UINT32_MAX);
	if (sb->root)
		dentry_unref(STEAL_PTR(sb->root));
	if (sb->op && sb->op->kill)
		sb->op->kill(sb);
	/* An inode that is still held (an inotify watch, a bug) loses its file system's callbacks. */
	while (!list_empty(&sb->inodes)) {
		struct inode *inode = LIST_FIRST(&sb->inodes, struct inode, sb_node);

		list_del(&inode->sb_node);
		inode->sb = NULL;
	}
	free(sb->source);
	free(sb);
}
