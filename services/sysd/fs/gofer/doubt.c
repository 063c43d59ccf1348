/* Exclusive mounts are believed: nobody else is expected to change them, and what sysd knows of them costs nothing. Yet an
 * operator copies files into a running container (docker cp). fsd hints that somebody came (fsd/news.c). From then on, for
 * DOUBT_NS, each name and each listing is asked for again when it is used and was looked at more than LOOK_NS ago; what finds a
 * difference prolongs that. Afterwards each is asked for once more, at its next use, and then believed again.
 *
 * Before the first hint the mount has no revalidate callback at all. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "common/log/log.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/fs/gofer/private.h"

#define DOUBT_NS 60000000000ull
#define LOOK_NS 200000000ull

static struct list mounts = LIST_INIT(mounts);

void doubt_add(struct super_block *sb)
{
	gofer_sb(sb)->sb = sb;
	list_add_tail(&mounts, &gofer_sb(sb)->node);
}

void doubt_remove(struct super_block *sb)
{
	if (gofer_sb(sb)->sb)
		list_del(&gofer_sb(sb)->node);
}

static void doubt(struct super_block *sb)
{
	struct gofer_sb *s = gofer_sb(sb);
	uint64_t now = clock_mono_ns();

	s->doubt_ns = now;
	s->doubt_until_ns = now + DOUBT_NS;
	sb->op = &gofer_doubted_sops;
	if (sb->root && sb->root->inode)
		gofer_i(sb->root->inode)->attr_stale = true;
}

void doubt_all(void)
{
	struct gofer_sb *s;

	log_info("somebody else may be changing the container's files: they are looked at again");
	LIST_FOR_EACH(s, &mounts, node)
		doubt(s->sb);
}

bool doubt_since(const struct super_block *sb, uint64_t stamp)
{
	const struct gofer_sb *s = gofer_sb(sb);

	if (likely(!s->doubt_ns) || stamp >= s->doubt_until_ns)
		return false;
	return stamp < s->doubt_ns || clock_mono_ns() - stamp >= LOOK_NS;
}

static void take_attr(struct inode *inode, const struct fsd_attr *attr)
{
	struct gofer_inode *gi = gofer_i(inode);
	uint32_t nlink = inode->nlink;

	gi->xattrs = XATTR_UNKNOWN;
	if (!gi->pending && !gi->mapped_write) {
		gofer_apply(inode, attr);
		if (S_ISDIR(inode->mode))
			inode->nlink = nlink;
	}
	gi->attr_stale = true; /* the reply may be older than a write of another task */
}

int doubt_revalidate(struct dentry *d)
{
	struct fsd_req q = {.op = FSD_GETATTR};
	struct inode *dir, *was = d->inode;
	uint64_t now = clock_mono_ns(), version;
	struct gofer_call c;
	int ret;

	if (d->parent == d || !doubt_since(d->sb, d->stamp))
		return 1;
	dir = inode_ref(d->parent->inode);
	version = dir->version;
	q.name = gofer_str(d);
	/* in the ring behind every change of ours that nobody waited for */
	ret = gofer_dir_call(dir, &c, &q);
	if (d->inode != was || d->unhashed || d->parent->inode != dir || dir->version != version) {
		ret = 1; /* changed by ourselves meanwhile: it is looked at again */
		now = 0;
	} else if (!ret) {
		ret = was && gofer_same(was, &c.rep.attr);
		if (ret)
			take_attr(was, &c.rep.attr);
	} else if (ret == -ENOENT || ret == -ESTALE || ret == -ENOTDIR) {
		ret = !was;
	}
	gofer_call_done(&c);
	inode_unref(dir);
	if (ret == 1 && now)
		d->stamp = now;
	if (!ret)
		gofer_sb(d->sb)->doubt_until_ns = MAX(gofer_sb(d->sb)->doubt_until_ns, now + DOUBT_NS);
	return ret;
}
