/* How a request names an inode: a directory by fsd's id, anything else by its name in a directory, what
 * has lost its name by the id that fsd gave it then. Ids are a cache: fsd may have been started anew, or
 * somebody else may have moved the directory; -ESTALE makes us walk again, once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/fs/gofer/private.h"

static bool has_node(const struct inode *inode)
{
	const struct gofer_inode *gi = gofer_i(inode);

	return gi->node && gi->node_epoch == gofer_epoch();
}

void gofer_set_node(struct inode *inode, uint64_t node)
{
	gofer_i(inode)->node = node;
	gofer_i(inode)->node_epoch = gofer_epoch();
}

struct dentry *gofer_alias(const struct inode *inode)
{
	struct dentry *d;

	LIST_FOR_EACH(d, &inode->dentries, alias)
		if (d->parent == d || !d->unhashed)
			return d;
	return NULL;
}

static int attach_root(struct inode *root)
{
	struct fsd_req q = gofer_attach_req(root->sb);
	struct gofer_call c;
	int ret = gofer_call_again(&c, &q);

	if (!ret && !gofer_same(root, &c.rep.attr))
		ret = -ESTALE;
	if (!ret)
		gofer_set_node(root, c.rep.node);
	gofer_call_done(&c);
	return ret;
}

struct chain {
	struct inode *inode[FSD_WALK_MAX];
	char name[FSD_WALK_MAX][FSD_NAME_MAX + 1];
	unsigned count;
};

/* The piece of dir's path below its nearest ancestor that has a node, or the top of it when it is
 * longer than a walk; references are taken. *ret_from: that ancestor. */
static int chain_make(struct inode *dir, struct chain *ch, struct inode **ret_from)
{
	struct dentry *d = gofer_alias(dir), *top;
	unsigned depth = 0;

	ch->count = 0;
	if (!d)
		return -ESTALE;
	for (top = d; top->parent != top && !has_node(top->parent->inode); top = top->parent)
		depth++;
	if (top->parent == top) { /* the root itself has none */
		*ret_from = inode_ref(top->inode);
		return 0;
	}
	while (depth >= FSD_WALK_MAX) {
		d = d->parent;
		depth--;
	}
	*ret_from = inode_ref(top->parent->inode);
	ch->count = depth + 1;
	for (unsigned i = ch->count; i--; d = d->parent) {
		ch->inode[i] = inode_ref(d->inode);
		memcpy(ch->name[i], d->name, d->name_size);
		ch->name[i][d->name_size] = 0;
	}
	return 0;
}

static int chain_walk(struct chain *ch, struct inode *from)
{
	struct fsd_req q = {.op = FSD_WALK, .node = gofer_i(from)->node, .name_count = ch->count};
	struct gofer_call c;
	int ret;

	for (unsigned i = 0; i < ch->count; i++)
		q.names[i] = (struct fsd_str){ch->name[i], strlen(ch->name[i])};
	ret = gofer_call(&c, &q);
	if (ret == -ESTALE)
		gofer_i(from)->node = 0;
	if (!ret && c.rep.walked_count != ch->count)
		ret = -ESTALE;
	for (unsigned i = 0; !ret && i < ch->count; i++) {
		/* Somebody else put another directory there (shared mounts). */
		if (!c.rep.walked[i].node || !gofer_same(ch->inode[i], &c.rep.walked[i].attr))
			ret = -ESTALE;
		else
			gofer_set_node(ch->inode[i], c.rep.walked[i].node);
	}
	gofer_call_done(&c);
	return ret == -ENOENT || ret == -ENOTDIR || ret == -GOFER_LOST || ret == -GOFER_UNREAD ? -ESTALE : ret;
}

int gofer_dir_node(struct inode *dir, uint64_t *ret_node)
{
	unsigned tries = 0;

	while (!has_node(dir)) {
		struct inode *from;
		struct chain *ch = malloc(sizeof(*ch));
		int ret = ch ? chain_make(dir, ch, &from) : -ENOMEM;

		if (!ret) {
			ret = ch->count ? chain_walk(ch, from) : attach_root(from);
			for (unsigned i = 0; i < ch->count; i++)
				inode_unref(ch->inode[i]);
			inode_unref(from);
		}
		free(ch);
		if (ret == -ESTALE && ++tries < 3)
			continue;
		if (ret < 0)
			return ret;
	}
	*ret_node = gofer_i(dir)->node;
	return 0;
}

int gofer_address(struct inode *inode, uint64_t *ret_node, struct gofer_name *ret_name)
{
	ret_name->size = 0;
	ret_name->data[0] = 0;
	if (!gofer_alias(inode))
		later_wait(inode); /* its node comes with the answer to what took its name */
	if (has_node(inode)) {
		*ret_node = gofer_i(inode)->node;
		return 0;
	}
	if (gofer_alias(inode) && gofer_alias(inode)->parent == gofer_alias(inode)) /* a root */
		return gofer_dir_node(inode, ret_node);
	for (;;) {
		struct dentry *d = gofer_alias(inode), *now;
		struct inode *dir;
		uint64_t node;
		int ret;

		if (!d || d->parent == d)
			return -ESTALE;
		dir = inode_ref(d->parent->inode);
		ret = gofer_dir_node(dir, &node);
		now = gofer_alias(inode);
		/* It may have been renamed while we slept. */
		if (!ret && now && now->parent->inode == dir) {
			*ret_node = node;
			ret_name->size = now->name_size;
			memcpy(ret_name->data, now->name, now->name_size + 1ul);
			inode_unref(dir);
			return 0;
		}
		inode_unref(dir);
		if (ret < 0)
			return ret;
	}
}

void gofer_drop_nodes(struct inode *inode)
{
	struct dentry *d = gofer_alias(inode);

	if (S_ISDIR(inode->mode) || (d && d->parent == d))
		gofer_i(inode)->node = 0;
	for (; d; d = d->parent) {
		if (d->inode && S_ISDIR(d->inode->mode))
			gofer_i(d->inode)->node = 0;
		if (d->parent == d)
			break;
	}
}

/* The second answer to a request whose first was lost: what fails because it has been done already was done by
 * us, on an exclusive mount; on a shared one perhaps by somebody else. */
int gofer_was_done(const struct fsd_req *q, int ret)
{
	bool done = false;

	switch (q->op) {
	case FSD_UNLINK:
	case FSD_RMDIR:
	case FSD_RENAME:
		done = ret == -ENOENT;
		break;
	case FSD_LINK:
	case FSD_SETXATTR:
		done = ret == -EEXIST;
		break;
	case FSD_REMOVEXATTR:
		done = ret == -ENODATA;
		break;
	}
	return done ? 0 : ret;
}

/* Something was made and perhaps not finished. Nobody has seen it yet: its directory is locked. */
static bool remove_half_made(const struct fsd_req *q)
{
	struct fsd_req undo = {.op = q->op == FSD_MKDIR ? FSD_RMDIR : FSD_UNLINK, .node = q->node, .name = q->name};
	struct gofer_call c;
	int ret = gofer_call(&c, &undo);

	gofer_call_done(&c);
	return ret == 0;
}

static bool makes(uint32_t op)
{
	return op == FSD_CREATE || op == FSD_MKDIR || op == FSD_MKNOD || op == FSD_SYMLINK;
}

static int second_answer(const struct inode *inode, struct gofer_call *c, const struct fsd_req *q, int ret)
{
	bool done = gofer_was_done(q, ret) == 0;

	/* a name that is gone is gone; whose the others are, nobody knows */
	if (gofer_shared(inode) && q->op != FSD_UNLINK && q->op != FSD_RMDIR)
		return done || (makes(q->op) && ret == -EEXIST) ? -EIO : ret;
	c->rep.node = 0;
	return done ? 0 : ret;
}

bool gofer_again(struct gofer_attempt *a, struct inode *inode, struct gofer_call *c, const struct fsd_req *q,
		 int *ret)
{
	if (*ret == -GOFER_LOST) {
		/* a request that kills fsd does so once more and not for ever */
		if (a->losses++) {
			*ret = -EIO;
			return false;
		}
	} else if (*ret == -GOFER_UNREAD) {
		/* as if it had never been sent */
	} else if (*ret == -ESTALE && !a->stale++) {
		gofer_drop_nodes(inode);
	} else if (*ret == -EEXIST && a->losses && makes(q->op) && !gofer_shared(inode) && !a->removed++) {
		if (!remove_half_made(q))
			return false;
	} else {
		if (a->losses && *ret < 0)
			*ret = second_answer(inode, c, q, *ret);
		return false;
	}
	gofer_call_done(c);
	return true;
}

int gofer_inode_call(struct inode *inode, struct gofer_call *c, struct fsd_req *q)
{
	struct gofer_attempt a = {0};

	for (;;) {
		struct gofer_name name;
		int ret = gofer_address(inode, &q->node, &name);

		if (ret < 0) {
			c->fd = -1;
			c->msg = NULL;
			return ret;
		}
		q->name = (struct fsd_str){name.data, name.size};
		ret = gofer_call(c, q);
		if (!gofer_again(&a, inode, c, q, &ret))
			return ret;
	}
}

int gofer_dir_call(struct inode *dir, struct gofer_call *c, struct fsd_req *q)
{
	struct gofer_attempt a = {0};

	for (;;) {
		int ret = gofer_dir_node(dir, &q->node);

		if (ret < 0) {
			c->fd = -1;
			c->msg = NULL;
			return ret;
		}
		ret = gofer_call(c, q);
		if (!gofer_again(&a, dir, c, q, &ret))
			return ret;
	}
}
