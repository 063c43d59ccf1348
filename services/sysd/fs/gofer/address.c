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

/* The name that leads to an inode: an alias that is still in its directory. */
static struct dentry *alias_of(const struct inode *inode)
{
	struct dentry *d;

	LIST_FOR_EACH(d, &inode->dentries, alias)
		if (d->parent == d || !d->unhashed)
			return d;
	return NULL;
}

static int attach_root(struct inode *root)
{
	struct fsd_req q = {.op = FSD_ATTACH, .mount = gofer_sb(root->sb)->index};
	struct gofer_call c;
	int ret = gofer_call(&c, &q);

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
	struct dentry *d = alias_of(dir), *top;
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
	return ret == -ENOENT || ret == -ENOTDIR ? -ESTALE : ret;
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
	if (has_node(inode)) {
		*ret_node = gofer_i(inode)->node;
		return 0;
	}
	if (alias_of(inode) && alias_of(inode)->parent == alias_of(inode)) /* a root */
		return gofer_dir_node(inode, ret_node);
	for (;;) {
		struct dentry *d = alias_of(inode), *now;
		struct inode *dir;
		uint64_t node;
		int ret;

		if (!d || d->parent == d)
			return -ESTALE;
		dir = inode_ref(d->parent->inode);
		ret = gofer_dir_node(dir, &node);
		now = alias_of(inode);
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
	struct dentry *d = alias_of(inode);

	if (S_ISDIR(inode->mode) || (d && d->parent == d))
		gofer_i(inode)->node = 0;
	for (; d; d = d->parent) {
		if (d->inode && S_ISDIR(d->inode->mode))
			gofer_i(d->inode)->node = 0;
		if (d->parent == d)
			break;
	}
}

int gofer_inode_call(struct inode *inode, struct gofer_call *c, struct fsd_req *q)
{
	for (unsigned tries = 0;; tries++) {
		struct gofer_name name;
		int ret = gofer_address(inode, &q->node, &name);

		if (ret < 0) {
			c->fd = -1;
			c->msg = NULL;
			return ret;
		}
		q->name = (struct fsd_str){name.data, name.size};
		ret = gofer_call(c, q);
		if (ret != -ESTALE || tries)
			return ret;
		gofer_call_done(c);
		gofer_drop_nodes(inode);
	}
}

int gofer_dir_call(struct inode *dir, struct gofer_call *c, struct fsd_req *q)
{
	for (unsigned tries = 0;; tries++) {
		int ret = gofer_dir_node(dir, &q->node);

		if (ret < 0) {
			c->fd = -1;
			c->msg = NULL;
			return ret;
		}
		ret = gofer_call(c, q);
		if (ret != -ESTALE || tries)
			return ret;
		gofer_call_done(c);
		gofer_drop_nodes(dir);
	}
}
