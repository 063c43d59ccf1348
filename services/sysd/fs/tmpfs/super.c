/* Mounting a tmpfs: options, limits, inodes. */
#include "services/sysd/fs/tmpfs/tmpfs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "services/sysd/vfs/dentry.h"

#define ROOT_SHOWN_FROM (1u << 20)

static uint64_t ram_bytes;

bool tmpfs_room(const struct inode *inode, uint64_t bytes)
{
	const struct tmpfs_sb *s = tmpfs_sb_of(inode);

	return !s->max_bytes || (s->used_bytes <= s->max_bytes && bytes <= s->max_bytes - s->used_bytes);
}

void tmpfs_account(struct inode *inode)
{
	struct tmpfs_inode *ti = tmpfs_i(inode);
	uint64_t now;

	if (!S_ISREG(inode->mode))
		return;
	now = ALIGN_UP(backing_allocated(&ti->content), SBX_PAGE_SIZE);
	tmpfs_sb_of(inode)->used_bytes += now - ti->accounted;
	ti->accounted = now;
	inode->blocks = now / 512;
}

int tmpfs_inode_new(struct super_block *sb, const struct inode *dir, uint32_t mode, uint64_t rdev,
		    struct inode **ret)
{
	struct tmpfs_sb *s = sb->priv;
	struct tmpfs_inode *ti;
	struct inode *inode;

	if (s->max_inodes && s->used_inodes >= s->max_inodes)
		return -ENOSPC;
	ti = calloc(1, sizeof(*ti));
	inode = ti ? inode_new(sb, mode) : NULL;
	if (!inode) {
		free(ti);
		return -ENOMEM;
	}
	inode->priv = ti;
	inode_init_owner(inode, dir, mode);
	inode->rdev = rdev;
	list_init(&ti->entries);
	list_init(&ti->xattrs);
	ti->next_cookie = TMPFS_COOKIE_FIRST;
	switch (mode & S_IFMT) {
	case S_IFDIR:
		inode->op = &tmpfs_dir_iops;
		inode->fop = &tmpfs_dir_fops;
		inode->nlink = 2;
		inode->size = 2 * TMPFS_DIRENT_SIZE;
		break;
	case S_IFREG:
		inode->op = &tmpfs_file_iops;
		inode->fop = &tmpfs_file_fops;
		backing_init(&ti->content);
		break;
	case S_IFLNK:
		inode->op = &tmpfs_link_iops;
		break;
	default:
		inode->op = &tmpfs_special_iops;
		break;
	}
	s->used_inodes++;
	*ret = inode;
	return 0;
}

static void evict(struct inode *inode)
{
	struct tmpfs_inode *ti = STEAL_PTR(inode->priv);
	struct tmpfs_sb *s = inode->sb->priv;

	if (S_ISREG(inode->mode)) {
		s->used_bytes -= ti->accounted;
		backing_done(&ti->content);
	}
	tmpfs_xattrs_free(ti);
	s->used_inodes--;
	tmpfs_dir_free(ti);
	free(ti);
}

static int tmpfs_statfs(struct super_block *sb, struct kstatfs *ret)
{
	const struct tmpfs_sb *s = sb->priv;
	/* A file system is never quite empty: its root takes a block, as programs that divide expect. */
	uint64_t used = s->used_bytes / SBX_PAGE_SIZE + (s->max_bytes > ROOT_SHOWN_FROM);

	*ret = (struct kstatfs){.type = TMPFS_MAGIC, .bsize = SBX_PAGE_SIZE, .frsize = SBX_PAGE_SIZE,
				.namelen = NAME_MAX, .fsid = sb->dev};
	if (s->max_bytes) {
		ret->blocks = s->max_bytes / SBX_PAGE_SIZE;
		ret->bfree = ret->bavail = ret->blocks > used ? ret->blocks - used : 0;
	}
	if (s->max_inodes) {
		ret->files = s->max_inodes;
		ret->ffree = s->max_inodes - MIN(s->max_inodes, s->used_inodes);
	}
	return 0;
}

/* "64k", "2g", "50%". */
static int parse_size(const char *v, uint64_t *ret)
{
	char *end;
	uint64_t n;

	if (*v < '0' || *v > '9')
		return -EINVAL;
	n = strtoull(v, &end, 0);
	switch (*end) {
	case '%':
		n = ram_bytes / 100 * n;
		end++;
		break;
	case 'k': case 'K':
		n <<= 10;
		end++;
		break;
	case 'm': case 'M':
		n <<= 20;
		end++;
		break;
	case 'g': case 'G':
		n <<= 30;
		end++;
		break;
	case 't': case 'T':
		n <<= 40;
		end++;
		break;
	}
	if (*end)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int parse_u32(const char *v, int base, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(v, &end, base);

	if (!*v || *end || n > UINT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)n;
	return 0;
}

static int parse_option(struct tmpfs_sb *s, const char *key, const char *value)
{
	uint64_t n;
	int err;

	if (!value)
		return !strcmp(key, "inode32") || !strcmp(key, "inode64") || !strcmp(key, "noswap") ? 0 : -EINVAL;
	if (!strcmp(key, "size") || !strcmp(key, "nr_blocks")) {
		err = parse_size(value, &n);
		if (err < 0)
			return err;
		if (key[0] == 'n')
			n *= SBX_PAGE_SIZE;
		s->max_bytes = n ? ALIGN_UP(n, SBX_PAGE_SIZE) : 0;
		return 0;
	}
	if (!strcmp(key, "nr_inodes"))
		return parse_size(value, &s->max_inodes);
	if (!strcmp(key, "mode")) {
		err = parse_u32(value, 8, &s->mode);
		s->mode &= 07777;
		return err;
	}
	if (!strcmp(key, "uid"))
		return parse_u32(value, 10, &s->uid);
	if (!strcmp(key, "gid"))
		return parse_u32(value, 10, &s->gid);
	return !strcmp(key, "huge") || !strcmp(key, "mpol") ? 0 : -EINVAL;
}

static int parse_options(struct tmpfs_sb *s, const char *data)
{
	CLEANUP_FREE char *copy = strdup(data ? data : "");
	char *save, *opt;
	int err;

	if (!copy)
		return -ENOMEM;
	for (opt = strtok_r(copy, ",", &save); opt; opt = strtok_r(NULL, ",", &save)) {
		char *value = strchr(opt, '=');

		if (value)
			*value++ = 0;
		err = parse_option(s, opt, value);
		if (err < 0)
			return err;
	}
	return 0;
}

static int tmpfs_remount(struct super_block *sb, const char *data)
{
	struct tmpfs_sb *s = sb->priv, next = *s;
	int err = parse_options(&next, data);

	if (err < 0)
		return err;
	if ((next.max_bytes && next.max_bytes < s->used_bytes) ||
	    (next.max_inodes && next.max_inodes < s->used_inodes))
		return -EINVAL;
	s->max_bytes = next.max_bytes;
	s->max_inodes = next.max_inodes;
	return 0;
}

static int tmpfs_show_options(struct super_block *sb, char *buf, size_t size)
{
	const struct tmpfs_sb *s = sb->priv;
	size_t n = 0;

#define ADD(...) n += (size_t)snprintf(buf + MIN(n, size), size - MIN(n, size), __VA_ARGS__)
	*buf = 0;
	if (s->max_bytes && s->max_bytes != ram_bytes / 2)
		ADD(",size=%lluk", (unsigned long long)s->max_bytes / 1024);
	if (s->max_inodes && s->max_inodes != ram_bytes / 2 / SBX_PAGE_SIZE)
		ADD(",nr_inodes=%llu", (unsigned long long)s->max_inodes);
	if (s->mode != 01777)
		ADD(",mode=%03o", s->mode);
	if (s->uid)
		ADD(",uid=%u", s->uid);
	if (s->gid)
		ADD(",gid=%u", s->gid);
#undef ADD
	return n < size ? (int)n : -ENOSPC;
}

static void tmpfs_kill(struct super_block *sb)
{
	free(STEAL_PTR(sb->priv));
}

static const struct super_ops tmpfs_sops = {
	.evict = evict,
	.statfs = tmpfs_statfs,
	.remount = tmpfs_remount,
	.show_options = tmpfs_show_options,
	.kill = tmpfs_kill,
};

static int tmpfs_mount(const struct fs_type *type, const char *source, const char *data, unsigned sb_flags,
		       struct super_block **ret_sb)
{
	struct super_block *sb = super_new(type, &tmpfs_sops, TMPFS_MAGIC);
	struct tmpfs_sb *s = calloc(1, sizeof(*s));
	struct inode *root;
	int err = -ENOMEM;

	(void)source;
	(void)sb_flags;
	if (!sb || !s) {
		free(s);
		super_unref(sb);
		return err;
	}
	sb->priv = s;
	sb->cache_dentries = true;
	s->mode = 01777;
	if (strcmp(type->name, "ramfs")) {
		s->max_bytes = ram_bytes / 2;
		s->max_inodes = ram_bytes / 2 / SBX_PAGE_SIZE;
	}
	err = parse_options(s, data);
	if (!err)
		err = tmpfs_inode_new(sb, NULL, S_IFDIR | s->mode, 0, &root);
	if (err < 0)
		goto fail;
	root->uid = s->uid;
	root->gid = s->gid;
	sb->root = d_alloc_root(root);
	err = -ENOMEM;
	if (!sb->root)
		goto fail;
	*ret_sb = sb;
	return 0;

fail:
	super_unref(sb);
	return err;
}

static struct backing *content_of(struct file *f)
{
	return &tmpfs_i(f->inode)->content;
}

void tmpfs_init(void)
{
	static struct fs_type tmpfs = {.name = "tmpfs", .nodev = true, .mount = tmpfs_mount};
	static struct fs_type ramfs = {.name = "ramfs", .nodev = true, .mount = tmpfs_mount};

	ram_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * SBX_PAGE_SIZE;
	fs_type_register(&tmpfs);
	fs_type_register(&ramfs);
	backing_register(&tmpfs_file_fops, content_of);
}
