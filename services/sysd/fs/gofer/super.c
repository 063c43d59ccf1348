/* Gofer mounts as file systems. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/fs/gofer/private.h"

#define GOFER_MAGIC 0xef53 /* what programs expect of a disk: ext4's */

static int gofer_statfs(struct super_block *sb, struct kstatfs *ret)
{
	struct fsd_req q = {.op = FSD_STATFS};
	struct gofer_call c;
	int r = gofer_dir_call(sb->root->inode, &c, &q);

	if (!r)
		*ret = (struct kstatfs){
		    .type = sb->magic,
		    .bsize = c.rep.statfs.bsize,
		    .blocks = c.rep.statfs.blocks,
		    .bfree = c.rep.statfs.bfree,
		    .bavail = c.rep.statfs.bavail,
		    .files = c.rep.statfs.files,
		    .ffree = c.rep.statfs.ffree,
		    .fsid = sb->dev,
		    .namelen = c.rep.statfs.namelen,
		    .frsize = c.rep.statfs.frsize,
		    .flags = sb->flags,
		};
	gofer_call_done(&c);
	return r;
}

static int gofer_sync(struct super_block *sb)
{
	struct fsd_req q = {.op = FSD_SYNC, .mount = gofer_sb(sb)->index};
	struct gofer_call c;
	int ret;

	if (gofer_sb(sb)->opt.readonly)
		return 0;
	ret = gofer_call_again(&c, &q);
	gofer_call_done(&c);
	return ret < 0 ? ret : gofer_late_error(sb);
}

#define ROOM_BYTES (256ull << 20)
#define ROOM_FILES 10000u
#define BELIEVED_NS 1000000000ull
#define ASK_AGAIN_NS 500000000ull /* while it is asked for all the time, the answer does not grow old */

struct room_ask {
	struct gofer_call call;
	struct super_block *sb; /* a reference */
};

static void on_room(struct gofer_call *c)
{
	struct room_ask *a = CONTAINER_OF(c, struct room_ask, call);
	struct super_block *sb = a->sb;
	const struct fsd_statfs *sf = &c->rep.statfs;
	uint64_t size;

	gofer_sb(sb)->room_asked = false;
	if (!c->error && !__builtin_mul_overflow(sf->bavail, sf->bsize, &size) && size >= ROOM_BYTES &&
	    (!sf->files || sf->ffree >= ROOM_FILES))
		gofer_sb(sb)->room_ns = clock_mono_ns();
	gofer_call_done(c);
	free(a);
	super_unref(sb);
}

static void ask_room(struct super_block *sb)
{
	struct gofer_inode *root = gofer_i(sb->root->inode);
	struct fsd_req q = {.op = FSD_STATFS, .node = root->node};
	struct room_ask *a = root->node && root->node_epoch == gofer_epoch() ? calloc(1, sizeof(*a)) : NULL;

	if (!a)
		return;
	a->sb = super_ref(sb);
	a->call.on_reply = on_room;
	a->call.quiet = true;
	if (gofer_send(&a->call, &q) == 0) {
		gofer_sb(sb)->room_asked = true;
		return;
	}
	free(a);
	super_unref(sb);
}

bool gofer_has_room(struct super_block *sb)
{
	struct gofer_sb *s = gofer_sb(sb);
	uint64_t age = clock_mono_ns() - s->room_ns;

	if (age > ASK_AGAIN_NS && !s->room_asked)
		ask_room(sb);
	return s->room_ns && age < BELIEVED_NS;
}

static void gofer_kill(struct super_block *sb)
{
	doubt_remove(sb);
	prefetch_forget(sb);
	pool_free(sb);
	free(gofer_sb(sb)->table);
	free(gofer_sb(sb));
}

static int gofer_show_options(struct super_block *sb, char *buf, size_t size)
{
	return snprintf(buf, size, "%s", gofer_sb(sb)->opt.shared ? ",shared" : "");
}

static const struct super_ops gofer_sops = {
    .evict = gofer_evict,
    .statfs = gofer_statfs,
    .sync = gofer_sync,
    .kill = gofer_kill,
    .show_options = gofer_show_options,
}, gofer_shared_sops = {
    .evict = gofer_evict,
    .statfs = gofer_statfs,
    .sync = gofer_sync,
    .kill = gofer_kill,
    .show_options = gofer_show_options,
    .revalidate = gofer_revalidate,
    .watch = gofer_watch,
    .unwatch = gofer_unwatch,
    .connect = gofer_connect_socket,
};

const struct super_ops gofer_doubted_sops = {
    .evict = gofer_evict,
    .statfs = gofer_statfs,
    .sync = gofer_sync,
    .kill = gofer_kill,
    .show_options = gofer_show_options,
    .revalidate = doubt_revalidate,
};

static int type_mount(const struct fs_type *type, const char *source, const char *data, unsigned sb_flags,
		      struct super_block **ret_sb);
static struct fs_type gofer_type = {.name = "gofer", .mount = type_mount};

static struct gofer_sb *sb_info(uint32_t index, const struct gofer_options *opt)
{
	struct gofer_sb *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->index = index;
	s->opt = *opt;
	s->table_size = GOFER_HASH_MIN;
	s->table = malloc(s->table_size * sizeof(*s->table));
	if (!s->table) {
		free(s);
		return NULL;
	}
	for (unsigned i = 0; i < s->table_size; i++)
		list_init(&s->table[i]);
	return s;
}

static int attach(struct super_block *sb)
{
	struct fsd_req q = gofer_attach_req(sb);
	struct gofer_call c;
	struct inode *inode;
	int ret = gofer_call_again(&c, &q);

	if (!ret && (c.rep.flags & FSD_MOUNT_RDONLY))
		gofer_sb(sb)->opt.readonly = true;
	if (!ret) {
		inode = gofer_iget(sb, &c.rep.attr);
		if (inode)
			gofer_set_node(inode, c.rep.node);
		sb->root = inode ? d_alloc_root(inode) : NULL;
		if (!sb->root)
			ret = -ENOMEM;
	}
	gofer_call_done(&c);
	return ret;
}

int gofer_mount(uint32_t index, const struct gofer_options *opt, struct super_block **ret_sb)
{
	struct super_block *sb;
	int ret;

	if (index >= FSD_MOUNTS_MAX)
		return -EINVAL;
	sb = super_new(&gofer_type, opt->shared ? &gofer_shared_sops : &gofer_sops, GOFER_MAGIC);
	if (!sb)
		return -ENOMEM;
	sb->priv = sb_info(index, opt);
	if (!sb->priv) {
		sb->op = NULL;
		super_unref(sb);
		return -ENOMEM;
	}
	sb->cache_dentries = true;
	ret = attach(sb);
	if (ret < 0) {
		super_unref(sb);
		return ret;
	}
	if (gofer_sb(sb)->opt.readonly)
		sb->flags |= MS_RDONLY;
	if (!opt->shared)
		doubt_add(sb);
	*ret_sb = sb;
	return 0;
}

static int type_mount(const struct fs_type *type, const char *source, const char *data, unsigned sb_flags,
		      struct super_block **ret_sb)
{
	struct gofer_options opt = {.readonly = sb_flags & MS_RDONLY};
	unsigned long index;
	char *end;

	if (!source || !*source)
		return -EINVAL;
	index = strtoul(source, &end, 10);
	if (*end || index >= FSD_MOUNTS_MAX)
		return -EINVAL;
	if (data && strstr(data, "shared"))
		opt.shared = true;
	return gofer_mount((uint32_t)index, &opt, ret_sb);
}

void gofer_fs_register(void)
{
	gofer_fds_init();
	fs_type_register(&gofer_type);
}
