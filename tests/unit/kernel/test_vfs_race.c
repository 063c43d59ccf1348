/* Many tasks at once over a file system whose every callback sleeps: nothing may be lost, freed too early or
 * kept for ever. A directory's operations are tmpfs's with yields around them. */
#include "tests/unit/kernel/vfs_env.h"

#include "services/sysd/fs/tmpfs/tmpfs.h"
#include "services/sysd/vfs/namei.h"

extern SYS_HANDLER(open); extern SYS_HANDLER(close); extern SYS_HANDLER(read); extern SYS_HANDLER(write);
extern SYS_HANDLER(stat); extern SYS_HANDLER(mkdir); extern SYS_HANDLER(rmdir); extern SYS_HANDLER(unlink);
extern SYS_HANDLER(renameat2); extern SYS_HANDLER(link); extern SYS_HANDLER(symlink); extern SYS_HANDLER(getdents64);
extern SYS_HANDLER(getcwd); extern SYS_HANDLER(chdir); extern SYS_HANDLER(openat); extern SYS_HANDLER(truncate);
extern SYS_HANDLER(mount); extern SYS_HANDLER(umount2); extern SYS_HANDLER(chmod); extern SYS_HANDLER(flock);

#define TASKS 8
#define ROUNDS 3000

static unsigned seed = 12345;
static unsigned rnd(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}
static void nap(void)
{
	if (rnd(3))
		sched_yield_strand();
}

static const struct inode_ops sleepy;
static void infect(struct dentry *d)
{
	if (d->inode && S_ISDIR(d->inode->mode))
		d->inode->op = &sleepy;
}
static int s_lookup(struct inode *dir, struct dentry *d)
{
	int r;

	nap();
	r = tmpfs_dir_iops.lookup(dir, d);
	infect(d);
	nap();
	return r;
}
static int s_create(struct inode *dir, struct dentry *d, uint32_t mode, bool excl)
{
	nap();
	int r = tmpfs_dir_iops.create(dir, d, mode, excl);
	nap();
	return r;
}
static int s_mkdir(struct inode *dir, struct dentry *d, uint32_t mode)
{
	nap();
	int r = tmpfs_dir_iops.mkdir(dir, d, mode);
	infect(d);
	nap();
	return r;
}
static int s_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	nap();
	int r = tmpfs_dir_iops.symlink(dir, d, target);
	nap();
	return r;
}
static int s_link(struct dentry *old, struct inode *dir, struct dentry *d)
{
	nap();
	int r = old->inode->nlink ? tmpfs_dir_iops.link(old, dir, d) : -ENOENT;
	nap();
	return r;
}
static int s_unlink(struct inode *dir, struct dentry *d)
{
	nap();
	int r = tmpfs_dir_iops.unlink(dir, d);
	nap();
	return r;
}
static int s_rmdir(struct inode *dir, struct dentry *d)
{
	nap();
	int r = tmpfs_dir_iops.rmdir(dir, d);
	nap();
	return r;
}
static int s_rename(struct inode *od, struct dentry *o, struct inode *nd, struct dentry *n, unsigned flags)
{
	nap();
	int r = tmpfs_dir_iops.rename(od, o, nd, n, flags);
	nap();
	return r;
}
static const struct inode_ops sleepy = {
	.lookup = s_lookup, .create = s_create, .mkdir = s_mkdir, .symlink = s_symlink, .link = s_link,
	.unlink = s_unlink, .rmdir = s_rmdir, .rename = s_rename, .setattr = tmpfs_setattr,
};

static const char *pick(char *buf)
{
	static const char *const name[] = {"a", "b", "c", "l", ".."};
	int n = 1 + (int)rnd(4), len = 0;

	if (rnd(2))
		len = sprintf(buf, "/r");
	for (int i = 0; i < n; i++)
		len += sprintf(buf + len, "%s%s", len || i ? "/" : "", name[rnd(5)]);
	return buf;
}

static void one(struct task *t)
{
	char a[64], b[64], buf[512];
	long fd;

	pick(a);
	pick(b);
	switch (rnd(16)) {
	case 0:
	case 1:
	case 2:
		S(mkdir, P(a), 0755);
		break;
	case 3:
		S(rmdir, P(a));
		break;
	case 4:
	case 5:
		fd = S(open, P(a), O_CREAT | O_RDWR, 0644);
		if (fd >= 0) {
			S(write, fd, U("xyz"), 3);
			if (rnd(2)) {
				S(flock, fd, 2 | 4);
				S(close, fd);
			}
		}
		break;
	case 6:
		S(unlink, P(a));
		break;
	case 7:
	case 8:
	case 9:
		S(renameat2, AT_FDCWD, P(a), AT_FDCWD, P(b), rnd(4) ? 0 : RENAME_EXCHANGE);
		break;
	case 10:
		S(link, P(a), P(b));
		break;
	case 11:
		S(symlink, P(b), P(a));
		break;
	case 12:
		S(chdir, P(a));
		S(getcwd, U(buf), sizeof(buf));
		if (!rnd(3))
			S(chdir, P("/r"));
		break;
	case 13:
		fd = S(open, P(a), O_RDONLY | O_DIRECTORY);
		if (fd >= 0) {
			S(getdents64, fd, U(buf), sizeof(buf));
			S(openat, fd, P("a/b"), O_RDONLY);
		}
		break;
	case 14:
		S(close, rnd(20));
		S(truncate, P(a), rnd(10000));
		break;
	case 15:
		switch (rnd(6)) {
		case 0:
			S(mount, U("none"), P(a), U("tmpfs"), 0, 0);
			break;
		case 1:
			S(mount, P(a), P(b), 0, MS_BIND | (rnd(2) ? MS_REC : 0), 0);
			break;
		case 2:
			S(mount, P(a), P(b), 0, MS_MOVE, 0);
			break;
		default:
			S(umount2, P(a), rnd(2) ? MNT_DETACH : 0);
			break;
		}
		break;
	}
}

static unsigned running;

static void worker(struct task *t, void *arg)
{
	env_enter(t);
	S(chdir, P("/r"));
	for (int i = 0; i < ROUNDS; i++) {
		one(t);
		if (rnd(2))
			sched_yield_strand();
	}
	env_leave(t);
	running--;
}

static void begin(struct task *t, void *arg)
{
	env_enter(t);
	assert_int_equal(S(mkdir, P("/r"), 0777), 0);
	env_ns->root->root->inode->op = &sleepy;
	struct path p;
	assert_int_equal(path_lookup(t, AT_FDCWD, "/r", 0, &p), 0);
	p.dentry->inode->op = &sleepy;
	path_put(&p);
	env_leave(t);
}

/* Empties a directory by names, however deep. */
static void empty(struct task *t)
{
	char names[4096];
	long fd, n;

	for (int i = 0; i < 100000; i++) {
		struct { uint64_t ino; int64_t off; uint16_t reclen; uint8_t type; char name[]; } *d;
		bool down = false;

		fd = S(open, P("."), O_RDONLY);
		n = S(getdents64, fd, U(names), sizeof(names));
		S(close, fd);
		for (long off = 0; off < n && !down; off += d->reclen) {
			d = (void *)(names + off);
			if (!strcmp(d->name, ".") || !strcmp(d->name, ".."))
				continue;
			if (S(unlink, P(d->name)) == -EISDIR && S(rmdir, P(d->name)) == -ENOTEMPTY) {
				assert_int_equal(S(chdir, P(d->name)), 0);
				down = true;
			}
		}
		if (down)
			continue;
		S(getcwd, U(names), sizeof(names));
		if (!strcmp(names, "/"))
			return;
		S(chdir, P(".."));
	}
	fail();
}

static void end(struct task *t, void *arg)
{
	struct tmpfs_sb *sb = env_ns->root->sb->priv;

	env_enter(t);
	while (env_ns->count > 1) {
		struct vfsmount *m = LIST_ENTRY(env_ns->mounts.prev, struct vfsmount, ns_node);

		assert_int_equal(mnt_umount(env_ns, mnt_ref(m), MNT_DETACH), 0);
		mnt_unref(m);
	}
	empty(t);
	d_prune(env_ns->root->sb, UINT32_MAX);
	assert_int_equal(sb->used_inodes, 1);
	assert_int_equal(sb->used_bytes, 0);
	assert_int_equal(env_ns->root->root->inode->nlink, 2);
	assert_true(list_empty(&env_ns->root->root->children));
	assert_int_equal(env_ns->root->refs, 1 + 2 /* root and pwd of this task */);
	env_leave(t);
}

static void test_race(void **state)
{
	for (int round = 0; round < (getenv("VFS_RACE_ROUNDS") ? atoi(getenv("VFS_RACE_ROUNDS")) : 4); round++) {
		ktest_call(begin, NULL);
		env_ns->root->sb->cache_dentries = round & 1;
		dentry_cache_limit = round & 2 ? 8 : 32768;
		running = TASKS;
		for (int i = 0; i < TASKS; i++)
			ktest_spawn(worker, NULL);
		ktest_run();
		assert_int_equal(running, 0);
		ktest_call(end, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_race)};

	return cmocka_run_group_tests_name("vfs_race", tests, NULL, NULL);
}
