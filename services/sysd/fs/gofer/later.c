/* Changes that nobody waits for, on exclusive mounts: removing a name, moving one, naming a file that was made
 * ahead, times and modes. The VFS has checked permissions, and everything else that could make the change fail
 * is known here (emptiness from the listing, immutable files and inner mounts from the attributes, room from
 * what fsd said lately); otherwise the caller asks and waits. So the change is made in sysd at once and in
 * fsd, which works in order, when it gets there.
 *
 * Who could see that it was not there yet waits (gofer_settle): fsync, sync, the end of a process that the
 * launcher waits for, and whoever finds the disk full. A change that fails all the same (the host's disk is
 * broken) is logged, what is known of the directory is forgotten, and the next fsync or sync fails.
 *
 * When fsd dies, the changes that it has not answered are made again by a strand, in order, before anything
 * else is sent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "common/log/log.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/fs/gofer/private.h"

#define UNDER_WAY_MAX 512u
#define FREE_MAX 64u
#define REPLAY_LOSSES_MAX 3u

static struct list in_order = LIST_INIT(in_order); /* sent, and during a replay not sent again yet */
static unsigned count;
static struct list free_list = LIST_INIT(free_list);
static unsigned free_count;
static struct waitq progress;
static struct strand *replayer;
static bool replaying;

void later_init(void)
{
	waitq_init(&progress);
}

bool later_gate_closed(const struct strand *s)
{
	return replaying && (!s || s != replayer);
}

void later_wait_gate(void)
{
	WAIT_EVENT(&progress, !later_gate_closed(sched_current()));
}

static struct later *later_new(void)
{
	struct later *l;

	if (list_empty(&free_list)) {
		l = malloc(sizeof(*l));
	} else {
		l = LIST_FIRST(&free_list, struct later, node);
		list_del(&l->node);
		free_count--;
	}
	if (l)
		memset(&l->q, 0, sizeof(*l) - offsetof(struct later, q));
	return l;
}

static void later_free(struct later *l)
{
	struct super_block *sb = l->dir->sb;

	inode_unref(l->dir);
	inode_unref(l->dir2);
	inode_unref(l->inode);
	inode_unref(l->target);
	super_unref(sb);
	if (free_count == FREE_MAX) {
		free(l);
		return;
	}
	free_count++;
	list_add(&free_list, &l->node);
}

/* The directory is not what we thought: nothing that is cached of it holds any more. */
static void distrust(struct inode *dir)
{
	struct dentry *d;

	listing_free(dir);
	LIST_FOR_EACH(d, &dir->dentries, alias)
		d_prune_children(d);
}

static const char *op_name(uint32_t op)
{
	switch (op) {
	case FSD_BIRTH: return "creation";
	case FSD_UNLINK:
	case FSD_RMDIR: return "removal";
	case FSD_RENAME: return "renaming";
	case FSD_LINK: return "linking";
	default: return "attributes";
	}
}

static void failed(struct later *l, int error)
{
	log_error("a change that was made already failed on the host: %s of %s: %s", op_name(l->q.op), l->name,
		  strerror(-error));
	gofer_sb(l->dir->sb)->late_error = error;
	distrust(l->dir);
	if (l->dir2)
		distrust(l->dir2);
}

static void count_pending(const struct later *l, int n)
{
	if (l->inode)
		gofer_i(l->inode)->pending += (uint32_t)n;
	if (l->inode && l->q.op == FSD_SETATTR)
		gofer_i(l->inode)->pending_attr += (uint32_t)n;
	if (l->target)
		gofer_i(l->target)->pending += (uint32_t)n;
}

static void finish(struct later *l, int error, const struct fsd_reply *rep)
{
	list_del(&l->node);
	count--;
	count_pending(l, -1);
	if (error < 0)
		failed(l, error);
	else if (l->done)
		l->done(l, rep);
	later_free(l);
	waitq_wake_all(&progress);
}

static void on_reply(struct gofer_call *c)
{
	struct later *l = CONTAINER_OF(c, struct later, call);

	if (c->error == -GOFER_LOST || c->error == -GOFER_UNREAD) {
		l->lost = c->error == -GOFER_LOST;
		gofer_call_done(c);
		return; /* it keeps its place in the list */
	}
	finish(l, c->error, &c->rep);
}

/* The names of q live in l from now on. */
static void keep_names(struct later *l)
{
	memcpy(l->name, l->q.name.data ? l->q.name.data : "", l->q.name.size);
	l->name[l->q.name.size] = 0;
	l->q.name.data = l->name;
	memcpy(l->name2, l->q.name2.data ? l->q.name2.data : "", l->q.name2.size);
	l->name2[l->q.name2.size] = 0;
	l->q.name2.data = l->name2;
}

static bool dir_ready(struct inode *dir)
{
	const struct gofer_inode *gi = gofer_i(dir);

	return gi->node && gi->node_epoch == gofer_epoch();
}

struct later *later_begin(struct inode *dir, struct inode *dir2)
{
	struct later *l;
	uint64_t node;

	if (count >= UNDER_WAY_MAX)
		gofer_push();
	WAIT_EVENT(&progress, count < UNDER_WAY_MAX && !later_gate_closed(sched_current()));
	while (!dir_ready(dir) || (dir2 && !dir_ready(dir2)))
		if (gofer_dir_node(dir, &node) < 0 || (dir2 && gofer_dir_node(dir2, &node) < 0))
			return NULL;
	l = later_new();
	if (!l)
		return NULL;
	super_ref(dir->sb);
	l->dir = inode_ref(dir);
	l->q.node = gofer_i(dir)->node;
	if (dir2) {
		l->dir2 = inode_ref(dir2);
		l->q.node2 = gofer_i(dir2)->node;
	}
	return l;
}

void later_abandon(struct later *l)
{
	if (l)
		later_free(l);
}

int later_post(struct later *l, struct inode *inode, struct inode *target)
{
	int ret;

	keep_names(l);
	l->call.on_reply = on_reply;
	l->call.quiet = true;
	l->call.strand = NULL;
	ret = gofer_send(&l->call, &l->q);
	if (ret < 0)
		return ret;
	l->inode = inode ? inode_ref(inode) : NULL;
	l->target = target ? inode_ref(target) : NULL;
	count_pending(l, 1);
	list_add_tail(&in_order, &l->node);
	count++;
	gofer_stats.later++;
	return 0;
}

bool gofer_unsettled(void)
{
	return count > 0;
}

void gofer_settle(void)
{
	if (!count || !sched_current())
		return;
	gofer_push();
	WAIT_EVENT(&progress, !count);
}

void later_wait(const struct inode *inode)
{
	if (!gofer_i(inode)->pending || !sched_current() || sched_current() == replayer)
		return;
	gofer_push();
	WAIT_EVENT(&progress, !gofer_i(inode)->pending);
}

void later_wait_attr(const struct inode *inode)
{
	if (!gofer_i(inode)->pending_attr || !sched_current())
		return;
	gofer_push();
	WAIT_EVENT(&progress, !gofer_i(inode)->pending_attr);
}

int gofer_late_error(struct super_block *sb)
{
	int error = gofer_sb(sb)->late_error;

	gofer_sb(sb)->late_error = 0;
	return error;
}

/* ---- after the death of fsd ---- */

/* The node of a directory of a change; one that a later change of ours removes has no name in sysd any more. */
static int old_node(struct inode *dir, uint64_t *ret)
{
	struct later *l;

	if (dir_ready(dir)) {
		*ret = gofer_i(dir)->node;
		return 0;
	}
	LIST_FOR_EACH(l, &in_order, node) {
		struct fsd_req q = {.op = FSD_WALK, .name_count = 1, .names = {l->q.name}};
		struct gofer_call c;
		int r;

		if (l->q.op != FSD_RMDIR || l->inode != dir)
			continue;
		r = old_node(l->dir, &q.node);
		if (r < 0)
			return r;
		r = gofer_call(&c, &q);
		if (!r && (c.rep.walked_count != 1 || !gofer_same(dir, &c.rep.walked[0].attr)))
			r = -ESTALE;
		if (!r)
			gofer_set_node(dir, *ret = c.rep.walked[0].node);
		gofer_call_done(&c);
		return r;
	}
	return gofer_dir_node(dir, ret);
}

static int send_again(struct later *l, struct gofer_call *c)
{
	int ret = old_node(l->dir, &l->q.node);

	c->msg = NULL;
	c->fd = -1;
	if (!ret && l->dir2)
		ret = old_node(l->dir2, &l->q.node2);
	if (ret < 0)
		return ret;
	if (l->q.op == FSD_BIRTH)
		return pool_rebirth(l, c);
	return gofer_call(c, &l->q);
}

static void replay(void *arg)
{
	unsigned losses = 0, done = 0;

	replayer = sched_current();
	while (!list_empty(&in_order)) {
		struct later *l = LIST_FIRST(&in_order, struct later, node);
		struct gofer_call c;
		int ret = send_again(l, &c);

		if ((ret == -GOFER_LOST || ret == -GOFER_UNREAD) && losses++ < REPLAY_LOSSES_MAX) {
			l->lost |= ret == -GOFER_LOST;
			gofer_call_done(&c);
			continue;
		}
		losses = 0;
		if (l->lost)
			ret = gofer_was_done(&l->q, ret);
		if (ret < 0 || l->lost)
			c.rep.node = 0;
		done++;
		finish(l, ret == -GOFER_LOST || ret == -GOFER_UNREAD ? -EIO : ret, &c.rep);
		gofer_call_done(&c);
	}
	log_info("%u changes were sent again", done);
	replayer = NULL;
	replaying = false;
	waitq_wake_all(&progress);
}

void later_replay(void)
{
	if (replaying || list_empty(&in_order))
		return;
	replaying = true;
	if (sched_spawn(replay, NULL) == 0)
		return;
	replaying = false;
	while (!list_empty(&in_order))
		finish(LIST_FIRST(&in_order, struct later, node), -ENOMEM, NULL);
}
