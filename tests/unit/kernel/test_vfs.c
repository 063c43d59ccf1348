/* The VFS over tmpfs: names, permissions, descriptors, mounts. */
#include "tests/unit/kernel/vfs_env.h"

#include <sys/file.h>
#include <sys/xattr.h>
#include <linux/openat2.h>

#include "services/sysd/abi/dirent.h"
#include "services/sysd/abi/stat.h"
#include "services/sysd/abi/statfs.h"
#include "services/sysd/vfs/namei.h"

extern SYS_HANDLER(open); extern SYS_HANDLER(openat); extern SYS_HANDLER(openat2); extern SYS_HANDLER(close);
extern SYS_HANDLER(read); extern SYS_HANDLER(write); extern SYS_HANDLER(pread64); extern SYS_HANDLER(pwrite64);
extern SYS_HANDLER(lseek); extern SYS_HANDLER(stat); extern SYS_HANDLER(lstat); extern SYS_HANDLER(fstat);
extern SYS_HANDLER(mkdir); extern SYS_HANDLER(rmdir); extern SYS_HANDLER(unlink); extern SYS_HANDLER(unlinkat);
extern SYS_HANDLER(rename); extern SYS_HANDLER(renameat2); extern SYS_HANDLER(link); extern SYS_HANDLER(linkat);
extern SYS_HANDLER(symlink); extern SYS_HANDLER(readlink); extern SYS_HANDLER(mknod);
extern SYS_HANDLER(chmod); extern SYS_HANDLER(chown); extern SYS_HANDLER(truncate); extern SYS_HANDLER(ftruncate);
extern SYS_HANDLER(fallocate); extern SYS_HANDLER(getdents64); extern SYS_HANDLER(getcwd); extern SYS_HANDLER(chdir);
extern SYS_HANDLER(chroot); extern SYS_HANDLER(dup); extern SYS_HANDLER(dup2); extern SYS_HANDLER(dup3);
extern SYS_HANDLER(close_range); extern SYS_HANDLER(access); extern SYS_HANDLER(statfs); extern SYS_HANDLER(flock);
extern SYS_HANDLER(utimensat);

#define CREATE(p) mk(t, p)
static void mk(struct task *t, const char *p)
{
	long fd = S(open, P(p), O_CREAT | O_RDWR, 0644);

	assert_true(fd >= 0);
	assert_int_equal(S(close, fd), 0);
}

static void files(struct task *t, void *arg)
{
	char buf[64] = "";
	struct abi_stat st;
	long fd;

	env_enter(t);
	assert_int_equal(S(open, P("/none"), O_RDONLY), -ENOENT);
	assert_int_equal(S(open, P(""), O_RDONLY), -ENOENT);
	assert_int_equal(S(open, 0, O_RDONLY), -EFAULT);
	fd = S(open, P("/a"), O_CREAT | O_EXCL | O_RDWR, 0666);
	assert_int_equal(fd, 0);
	assert_int_equal(S(open, P("/a"), O_CREAT | O_EXCL | O_RDWR, 0666), -EEXIST);
	assert_int_equal(S(write, fd, U("hello world"), 11), 11);
	assert_int_equal(S(read, fd, U(buf), 10), 0);
	assert_int_equal(S(lseek, fd, 6, SEEK_SET), 6);
	assert_int_equal(S(read, fd, U(buf), 10), 5);
	assert_memory_equal(buf, "world", 5);
	assert_int_equal(S(pread64, fd, U(buf), 5, 0), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(S(pwrite64, fd, U("J"), 1, 0), 1);
	assert_int_equal(S(fstat, fd, U(&st)), 0);
	assert_int_equal(st.size, 11);
	assert_int_equal(st.mode, S_IFREG | 0644);
	assert_int_equal(st.nlink, 1);
	assert_int_equal(S(ftruncate, fd, 5000), 0);
	assert_int_equal(S(pread64, fd, U(buf), 4, 4998), 2);
	assert_int_equal(S(unlink, P("/a")), 0);
	assert_int_equal(S(fstat, fd, U(&st)), 0);
	assert_int_equal(st.nlink, 0);
	assert_int_equal(S(pread64, fd, U(buf), 1, 0), 1);
	assert_int_equal(buf[0], 'J');
	assert_int_equal(S(open, P("/a"), O_RDONLY), -ENOENT);
	assert_int_equal(S(close, fd), 0);
	assert_int_equal(S(close, fd), -EBADF);
	/* O_APPEND moves pwrite too; O_TRUNC; a directory refuses writing */
	CREATE("/b");
	fd = S(open, P("/b"), O_WRONLY | O_APPEND);
	assert_int_equal(S(write, fd, U("abc"), 3), 3);
	assert_int_equal(S(pwrite64, fd, U("d"), 1, 0), 1);
	assert_int_equal(S(read, fd, U(buf), 1), -EBADF);
	assert_int_equal(S(close, fd), 0);
	assert_int_equal(S(stat, P("/b"), U(&st)), 0);
	assert_int_equal(st.size, 4);
	fd = S(open, P("/b"), O_WRONLY | O_TRUNC);
	S(close, fd);
	S(stat, P("/b"), U(&st));
	assert_int_equal(st.size, 0);
	assert_int_equal(S(open, P("/"), O_RDWR), -EISDIR);
	assert_int_equal(S(open, P("/b/"), O_RDONLY), -ENOTDIR);
	assert_int_equal(S(open, P("/b/c"), O_RDONLY), -ENOTDIR);
	assert_int_equal(S(open, P("/c/"), O_CREAT | O_RDWR, 0644), -EISDIR);
	assert_int_equal(S(open, P("/b"), O_RDONLY | O_DIRECTORY), -ENOTDIR);
	assert_int_equal(S(unlink, P("/b")), 0);
	env_leave(t);
}

static void test_files(void **state)
{
	ktest_call(files, NULL);
}

static void dirs(struct task *t, void *arg)
{
	char buf[4096], long_name[300];
	struct abi_stat st;
	long fd;

	env_enter(t);
	assert_int_equal(S(mkdir, P("/d"), 0777), 0);
	assert_int_equal(S(mkdir, P("/d"), 0777), -EEXIST);
	assert_int_equal(S(mkdir, P("/d/e/"), 0777), 0);
	assert_int_equal(S(mkdir, P("/x/y"), 0777), -ENOENT);
	assert_int_equal(S(mkdir, P("/"), 0777), -EEXIST);
	S(stat, P("/d"), U(&st));
	assert_int_equal(st.nlink, 3);
	assert_int_equal(S(rmdir, P("/d")), -ENOTEMPTY);
	assert_int_equal(S(rmdir, P("/d/e/.")), -EINVAL);
	assert_int_equal(S(rmdir, P("/d/e/..")), -ENOTEMPTY);
	assert_int_equal(S(rmdir, P("/")), -EBUSY);
	assert_int_equal(S(unlink, P("/d/e")), -EISDIR);
	assert_int_equal(S(unlink, P("/d/e/")), -EISDIR);
	CREATE("/d/f");
	assert_int_equal(S(rmdir, P("/d/f")), -ENOTDIR);
	assert_int_equal(S(unlink, P("/d/f/")), -ENOTDIR);
	assert_int_equal(S(mkdir, P("/d/f/g"), 0777), -ENOTDIR);
	memset(long_name, 'n', sizeof(long_name));
	long_name[0] = '/';
	long_name[257] = 0;
	assert_int_equal(S(mkdir, P(long_name), 0777), -ENAMETOOLONG);
	long_name[256] = 0;
	assert_int_equal(S(mkdir, P(long_name), 0777), 0);
	assert_int_equal(S(rmdir, P(long_name)), 0);
	/* cwd */
	assert_int_equal(S(chdir, P("/d/e")), 0);
	assert_int_equal(S(getcwd, U(buf), sizeof(buf)), 5);
	assert_string_equal(buf, "/d/e");
	assert_int_equal(S(getcwd, U(buf), 4), -ERANGE);
	assert_int_equal(S(stat, P("../f"), U(&st)), 0);
	assert_int_equal(S(stat, P("../../../../d/./f"), U(&st)), 0);
	assert_int_equal(S(rmdir, P("../e")), 0);
	assert_int_equal(S(getcwd, U(buf), sizeof(buf)), -ENOENT);
	assert_int_equal(S(open, P("new"), O_CREAT | O_RDWR, 0600), -ENOENT);
	assert_int_equal(S(chdir, P("/")), 0);
	/* listing: a position stays right while names come and go */
	S(mkdir, P("/l"), 0777);
	for (int i = 0; i < 100; i++) {
		snprintf(buf, sizeof(buf), "/l/file%i", i);
		CREATE(buf);
	}
	fd = S(open, P("/l"), O_RDONLY | O_DIRECTORY);
	int seen = 0;
	for (;;) {
		char dents[512];
		long n = S(getdents64, fd, U(dents), sizeof(dents));

		assert_true(n >= 0);
		if (!n)
			break;
		for (long off = 0; off < n;) {
			struct abi_dirent64 *d = (void *)(dents + off);

			if (d->name[0] == 'f') {
				seen++;
				snprintf(buf, sizeof(buf), "/l/%s", d->name);
				assert_int_equal(S(unlink, P(buf)), 0);
			}
			off += d->reclen;
		}
	}
	assert_int_equal(seen, 100);
	assert_int_equal(S(getdents64, fd, U(buf), 8), 0);
	assert_int_equal(S(lseek, fd, 0, SEEK_SET), 0);
	assert_int_equal(S(getdents64, fd, U(buf), 8), -EINVAL);
	S(close, fd);
	assert_int_equal(S(rmdir, P("/l")), 0);
	assert_int_equal(S(unlink, P("/d/f")), 0);
	assert_int_equal(S(rmdir, P("/d")), 0);
	env_leave(t);
}

static void test_dirs(void **state)
{
	ktest_call(dirs, NULL);
}

static void links(struct task *t, void *arg)
{
	char buf[64], chain[16];
	struct abi_stat st;
	long fd;

	env_enter(t);
	S(mkdir, P("/d"), 0755);
	CREATE("/d/f");
	assert_int_equal(S(symlink, P("d/f"), P("/l")), 0);
	assert_int_equal(S(symlink, P("/d"), P("/ld")), 0);
	assert_int_equal(S(symlink, P("../ld/f"), P("/d/up")), 0);
	assert_int_equal(S(readlink, P("/l"), U(buf), sizeof(buf)), 3);
	assert_int_equal(S(readlink, P("/l"), U(buf), 2), 2);
	assert_int_equal(S(readlink, P("/d"), U(buf), 2), -EINVAL);
	assert_int_equal(S(stat, P("/l"), U(&st)), 0);
	assert_true(S_ISREG(st.mode));
	assert_int_equal(S(lstat, P("/l"), U(&st)), 0);
	assert_true(S_ISLNK(st.mode));
	assert_int_equal(st.size, 3);
	assert_int_equal(S(stat, P("/ld/up"), U(&st)), 0);
	assert_true(S_ISREG(st.mode));
	assert_int_equal(S(lstat, P("/ld/"), U(&st)), 0);
	assert_true(S_ISDIR(st.mode));
	assert_int_equal(S(open, P("/l"), O_RDONLY | O_NOFOLLOW), -ELOOP);
	fd = S(open, P("/l"), O_PATH | O_NOFOLLOW);
	assert_true(fd >= 0);
	assert_int_equal(S(fstat, fd, U(&st)), 0);
	assert_true(S_ISLNK(st.mode));
	assert_int_equal(S(read, fd, U(buf), 1), -EBADF);
	S(close, fd);
	/* loops, and a chain of forty and of forty-one */
	S(symlink, P("loop"), P("/loop"));
	assert_int_equal(S(stat, P("/loop"), U(&st)), -ELOOP);
	S(symlink, P("d/f"), P("/c0"));
	for (int i = 1; i <= 40; i++) {
		snprintf(chain, sizeof(chain), "c%i", i - 1);
		snprintf(buf, sizeof(buf), "/c%i", i);
		S(symlink, P(chain), P(buf));
	}
	assert_int_equal(S(stat, P("/c39"), U(&st)), 0);
	assert_int_equal(S(stat, P("/c40"), U(&st)), -ELOOP);
	for (int i = 0; i <= 40; i++) {
		snprintf(buf, sizeof(buf), "/c%i", i);
		S(unlink, P(buf));
	}
	/* a dangling link: O_CREAT goes through it, O_EXCL does not */
	S(symlink, P("/d/made"), P("/dang"));
	assert_int_equal(S(open, P("/dang"), O_RDONLY), -ENOENT);
	assert_int_equal(S(open, P("/dang"), O_CREAT | O_EXCL | O_RDWR, 0600), -EEXIST);
	fd = S(open, P("/dang"), O_CREAT | O_RDWR, 0600);
	assert_true(fd >= 0);
	S(close, fd);
	assert_int_equal(S(stat, P("/d/made"), U(&st)), 0);
	/* hard links */
	assert_int_equal(S(link, P("/d/f"), P("/h")), 0);
	assert_int_equal(S(link, P("/d/f"), P("/h")), -EEXIST);
	assert_int_equal(S(link, P("/d"), P("/h2")), -EPERM);
	S(stat, P("/h"), U(&st));
	assert_int_equal(st.nlink, 2);
	assert_int_equal(S(rename, P("/h"), P("/d/f")), 0); /* the same inode: nothing happens */
	S(stat, P("/h"), U(&st));
	assert_int_equal(st.nlink, 2);
	assert_int_equal(S(unlink, P("/h")), 0);
	S(unlink, P("/loop")); S(unlink, P("/dang")); S(unlink, P("/d/made")); S(unlink, P("/d/up"));
	S(unlink, P("/l")); S(unlink, P("/ld")); S(unlink, P("/d/f"));
	assert_int_equal(S(rmdir, P("/d")), 0);
	env_leave(t);
}

static void test_links(void **state)
{
	ktest_call(links, NULL);
}

static void renames(struct task *t, void *arg)
{
	struct abi_stat st;
	char buf[64];

	env_enter(t);
	S(mkdir, P("/a"), 0755); S(mkdir, P("/b"), 0755); S(mkdir, P("/a/s"), 0755);
	CREATE("/a/f"); CREATE("/b/g");
	assert_int_equal(S(rename, P("/a/f"), P("/b/g")), 0);
	assert_int_equal(S(stat, P("/a/f"), U(&st)), -ENOENT);
	assert_int_equal(S(rename, P("/a"), P("/a/s/t")), -EINVAL);
	assert_int_equal(S(rename, P("/a/s"), P("/a")), -ENOTEMPTY);
	assert_int_equal(S(rename, P("/a"), P("/b/g")), -ENOTDIR);
	assert_int_equal(S(rename, P("/b/g"), P("/a")), -EISDIR);
	assert_int_equal(S(rename, P("/b/g"), P("/nope/x")), -ENOENT);
	assert_int_equal(S(rename, P("/nope"), P("/x")), -ENOENT);
	assert_int_equal(S(rename, P("/b/g"), P("/b/h/")), -ENOTDIR);
	assert_int_equal(S(rename, P("/."), P("/x")), -EBUSY);
	assert_int_equal(S(rename, P("/a/s"), P("/b/s2")), 0);
	S(stat, P("/a"), U(&st));
	assert_int_equal(st.nlink, 2);
	S(stat, P("/b"), U(&st));
	assert_int_equal(st.nlink, 3);
	assert_int_equal(S(rename, P("/b"), P("/a")), 0); /* over an empty directory */
	assert_int_equal(S(stat, P("/a/s2"), U(&st)), 0);
	assert_int_equal(S(chdir, P("/a/s2")), 0);
	assert_int_equal(S(rename, P("/a"), P("/z")), 0);
	S(getcwd, U(buf), sizeof(buf));
	assert_string_equal(buf, "/z/s2");
	S(chdir, P("/"));
	CREATE("/q");
	assert_int_equal(S(renameat2, AT_FDCWD, P("/q"), AT_FDCWD, P("/z/g"), RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(S(renameat2, AT_FDCWD, P("/q"), AT_FDCWD, P("/z"), RENAME_EXCHANGE), 0);
	S(stat, P("/q/s2"), U(&st));
	assert_true(S_ISDIR(st.mode));
	S(stat, P("/z"), U(&st));
	assert_true(S_ISREG(st.mode));
	assert_int_equal(S(renameat2, AT_FDCWD, P("/q"), AT_FDCWD, P("/none"), RENAME_EXCHANGE), -ENOENT);
	S(unlink, P("/z")); S(unlink, P("/q/g")); S(rmdir, P("/q/s2"));
	assert_int_equal(S(rmdir, P("/q")), 0);
	env_leave(t);
}

static void test_renames(void **state)
{
	ktest_call(renames, NULL);
}

static void permissions(struct task *t, void *arg)
{
	struct abi_stat st;

	env_enter(t);
	S(mkdir, P("/priv"), 0700);
	S(mkdir, P("/tmp"), 0777);
	S(chmod, P("/tmp"), 01777);
	CREATE("/priv/f"); CREATE("/tmp/root"); CREATE("/ro");
	S(mknod, P("/tmp/suid"), S_IFREG | 04755, 0);
	env_become(t, 1000, 1000);
	assert_int_equal(S(open, P("/priv/f"), O_RDONLY), -EACCES);
	assert_int_equal(S(open, P("/ro"), O_RDWR), -EACCES);
	assert_int_equal(S(open, P("/ro"), O_RDONLY), 0);
	assert_int_equal(S(open, P("/new"), O_CREAT | O_RDWR, 0600), -EACCES);
	assert_int_equal(S(unlink, P("/tmp/root")), -EPERM);
	assert_int_equal(S(rename, P("/tmp/root"), P("/tmp/mine")), -EPERM);
	CREATE("/tmp/mine");
	assert_int_equal(S(rename, P("/tmp/mine"), P("/tmp/root")), -EPERM);
	assert_int_equal(S(chmod, P("/ro"), 0777), -EPERM);
	assert_int_equal(S(chown, P("/tmp/mine"), 0, -1u), -EPERM);
	assert_int_equal(S(chown, P("/tmp/mine"), 1000, 1000), 0);
	assert_int_equal(S(mknod, P("/tmp/dev"), S_IFCHR | 0666, 0x103), -EPERM);
	assert_int_equal(S(mknod, P("/tmp/fifo"), S_IFIFO | 0666, 0), 0);
	assert_int_equal(S(chroot, P("/tmp")), -EPERM);
	assert_int_equal(S(access, P("/ro"), R_OK), 0);
	assert_int_equal(S(access, P("/ro"), W_OK), -EACCES);
	assert_int_equal(S(access, P("/ro"), 8), -EINVAL);
	assert_int_equal(S(truncate, P("/ro"), 0), -EACCES);
	S(unlink, P("/tmp/mine")); S(unlink, P("/tmp/fifo"));
	env_become(t, 0, 0);
	/* a change of owner takes the setuid bit */
	assert_int_equal(S(chown, P("/tmp/suid"), 1000, -1u), 0);
	S(stat, P("/tmp/suid"), U(&st));
	assert_int_equal(st.mode, S_IFREG | 0755);
	S(unlink, P("/tmp/suid")); S(unlink, P("/tmp/root")); S(rmdir, P("/tmp"));
	S(unlink, P("/priv/f")); S(rmdir, P("/priv")); S(unlink, P("/ro"));
	env_leave(t);
}

static void test_permissions(void **state)
{
	ktest_call(permissions, NULL);
}

static void descriptors(struct task *t, void *arg)
{
	long fd;

	env_enter(t);
	CREATE("/f");
	assert_int_equal(S(open, P("/f"), O_RDONLY), 0);
	assert_int_equal(S(dup, 0), 1);
	assert_int_equal(S(dup2, 0, 200), 200);
	assert_int_equal(S(dup2, 0, 5000), -EBADF);
	assert_int_equal(S(dup2, 7, 7), -EBADF);
	assert_int_equal(S(dup3, 0, 0, 0), -EINVAL);
	assert_int_equal(S(dup3, 0, 100, O_CLOEXEC), 100);
	assert_true(fd_cloexec(t, 100));
	assert_int_equal(S(dup, 0), 2);
	assert_int_equal(S(close, 1), 0);
	assert_int_equal(S(dup, 0), 1);
	assert_int_equal(S(close_range, 2, 150, 0), 0);
	assert_int_equal(fdtable_next(t->files, 2), 200);
	for (int i = 0;; i++) {
		fd = S(dup, 0);
		if (fd < 0)
			break;
		assert_true(fd < 1024);
	}
	assert_int_equal(fd, -EMFILE);
	struct fdtable *copy = fdtable_dup(t->files);
	fdtable_close_on_exec(copy, t);
	assert_int_equal(fdtable_next(copy, 1023), 1023);
	fdtable_unref(copy);
	assert_int_equal(S(close_range, 0, -1u, 0), 0);
	S(unlink, P("/f"));
	env_leave(t);
}

static void test_descriptors(void **state)
{
	ktest_call(descriptors, NULL);
}

static void mounts(struct task *t, void *arg)
{
	struct path at = {0}, from = {0};
	struct abi_stat st, st2;
	char buf[4096];
	long fd;

	env_enter(t);
	S(mkdir, P("/mnt"), 0755); S(mkdir, P("/src"), 0755); S(mkdir, P("/src/in"), 0755);
	assert_int_equal(path_lookup(t, AT_FDCWD, "/mnt", 0, &at), 0);
	assert_int_equal(mnt_mount_new(env_ns, &at, "tmpfs", "none", "size=64k,nr_inodes=5", 0, 0), 0);
	path_put(&at);
	S(stat, P("/mnt"), U(&st)); S(stat, P("/"), U(&st2));
	assert_int_not_equal(st.dev, st2.dev);
	assert_int_equal(S(stat, P("/mnt/.."), U(&st)), 0);
	assert_int_equal(st.ino, st2.ino);
	assert_int_equal(S(rmdir, P("/mnt")), -EBUSY);
	assert_int_equal(S(rename, P("/mnt"), P("/mnt2")), -EBUSY);
	CREATE("/f");
	assert_int_equal(S(link, P("/f"), P("/mnt/f")), -EXDEV);
	assert_int_equal(S(rename, P("/f"), P("/mnt/f")), -EXDEV);
	fd = S(open, P("/mnt/big"), O_CREAT | O_RDWR, 0644);
	memset(buf, 7, sizeof(buf));
	long total = 0, n;
	while ((n = S(write, fd, U(buf), sizeof(buf))) > 0)
		total += n;
	assert_int_equal(n, -ENOSPC);
	assert_int_equal(total, 65536);
	assert_int_equal(path_lookup(t, AT_FDCWD, "/mnt", 0, &at), 0);
	assert_int_equal(mnt_umount(env_ns, at.mnt, 0), -EBUSY);
	S(close, fd);
	assert_int_equal(S(unlink, P("/mnt/big")), 0);
	fd = S(open, P("/mnt/big"), O_CREAT | O_RDWR, 0644);
	assert_int_equal(S(write, fd, U(buf), sizeof(buf)), 4096);
	S(close, fd);
	/* bind, with a mount below it */
	path_put(&at);
	path_lookup(t, AT_FDCWD, "/src/in", 0, &at);
	path_lookup(t, AT_FDCWD, "/mnt", 0, &from);
	assert_int_equal(mnt_bind(env_ns, &from, &at, false), 0);
	path_put(&at);
	path_put(&from);
	assert_int_equal(S(stat, P("/src/in/big"), U(&st)), 0);
	S(mkdir, P("/b"), 0755);
	path_lookup(t, AT_FDCWD, "/src", 0, &from);
	path_lookup(t, AT_FDCWD, "/b", 0, &at);
	assert_int_equal(mnt_bind(env_ns, &from, &at, true), 0);
	path_put(&at);
	path_put(&from);
	assert_int_equal(S(stat, P("/b/in/big"), U(&st)), 0);
	assert_int_equal(S(chdir, P("/b/in")), 0);
	S(getcwd, U(buf), sizeof(buf));
	assert_string_equal(buf, "/b/in");
	/* a copy of the namespace, and its end */
	struct mnt_ns *copy = mnt_ns_dup(env_ns, t);
	assert_non_null(copy);
	S(getcwd, U(buf), sizeof(buf));
	assert_string_equal(buf, "/b/in");
	fs_struct_unref(t->fs);
	struct path root = {env_ns->root, env_ns->root->root};
	t->fs = fs_struct_new(&root, &root);
	mnt_ns_unref(copy);
	/* detached, yet in use */
	fd = S(open, P("/b/in/big"), O_RDONLY);
	path_lookup(t, AT_FDCWD, "/b", 0, &at);
	assert_int_equal(mnt_umount(env_ns, at.mnt, MNT_DETACH), 0);
	path_put(&at);
	assert_int_equal(S(stat, P("/b/in"), U(&st)), -ENOENT);
	assert_int_equal(S(read, fd, U(buf), 10), 10);
	S(close, fd);
	path_lookup(t, AT_FDCWD, "/src/in", 0, &at);
	assert_int_equal(mnt_set_flags(at.mnt, MNT_READONLY), 0);
	assert_int_equal(S(open, P("/src/in/big"), O_RDWR), -EROFS);
	assert_int_equal(S(open, P("/src/in/none"), O_CREAT | O_RDWR, 0644), -EROFS);
	assert_int_equal(S(mkdir, P("/src/in/d"), 0755), -EROFS);
	assert_int_equal(S(mkdir, P("/src/in/big"), 0755), -EEXIST);
	assert_int_equal(S(unlink, P("/src/in/big")), -EROFS);
	assert_int_equal(mnt_umount(env_ns, at.mnt, 0), 0);
	path_put(&at);
	path_lookup(t, AT_FDCWD, "/mnt", 0, &at);
	assert_int_equal(mnt_umount(env_ns, at.mnt, 0), 0);
	path_put(&at);
	assert_int_equal(S(stat, P("/mnt/big"), U(&st)), -ENOENT);
	S(rmdir, P("/mnt")); S(rmdir, P("/b")); S(rmdir, P("/src/in")); S(rmdir, P("/src")); S(unlink, P("/f"));
	env_leave(t);
}

static void test_mounts(void **state)
{
	ktest_call(mounts, NULL);
}

static long open2(struct task *t, long dfd, const char *p, uint64_t resolve)
{
	struct open_how how = {.flags = O_RDONLY, .resolve = resolve};

	return S(openat2, dfd, P(p), U(&how), sizeof(how));
}

static void resolves(struct task *t, void *arg)
{
	long dfd, fd;

	env_enter(t);
	S(mkdir, P("/j"), 0755); S(mkdir, P("/j/d"), 0755);
	CREATE("/j/f"); CREATE("/out");
	S(symlink, P("../out"), P("/j/esc")); S(symlink, P("/f"), P("/j/abs")); S(symlink, P("f"), P("/j/rel"));
	dfd = S(open, P("/j"), O_PATH | O_DIRECTORY);
	assert_true(dfd >= 0);
	assert_int_equal(open2(t, dfd, "../out", RESOLVE_BENEATH), -EXDEV);
	assert_int_equal(open2(t, dfd, "esc", RESOLVE_BENEATH), -EXDEV);
	assert_int_equal(open2(t, dfd, "abs", RESOLVE_BENEATH), -EXDEV);
	assert_int_equal(open2(t, dfd, "/f", RESOLVE_BENEATH), -EXDEV);
	assert_int_equal(open2(t, dfd, "rel", RESOLVE_NO_SYMLINKS), -ELOOP);
	fd = open2(t, dfd, "d/../f", RESOLVE_BENEATH);
	assert_true(fd > 0);
	S(close, fd);
	fd = open2(t, dfd, "abs", RESOLVE_IN_ROOT);
	assert_true(fd > 0);
	S(close, fd);
	assert_int_equal(open2(t, dfd, "esc", RESOLVE_IN_ROOT), -ENOENT);
	assert_int_equal(open2(t, dfd, "f", 0x1000), -EINVAL);
	fd = open2(t, dfd, "f", RESOLVE_CACHED);
	assert_true(fd > 0);
	S(close, fd);
	S(close, dfd);
	S(unlink, P("/j/f")); S(unlink, P("/j/esc")); S(unlink, P("/j/abs")); S(unlink, P("/j/rel"));
	S(rmdir, P("/j/d")); S(rmdir, P("/j")); S(unlink, P("/out"));
	env_leave(t);
}

static void test_resolves(void **state)
{
	ktest_call(resolves, NULL);
}

static void deep(struct task *t, void *arg)
{
	struct path at = {0};

	env_enter(t);
	S(mkdir, P("/m"), 0755);
	path_lookup(t, AT_FDCWD, "/m", 0, &at);
	assert_int_equal(mnt_mount_new(env_ns, &at, "tmpfs", "none", NULL, 0, 0), 0);
	path_put(&at);
	S(chdir, P("/m"));
	/* the end of a file system must not need a stack as deep as its tree */
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(S(mkdir, P("d"), 0755), 0);
		assert_int_equal(S(chdir, P("d")), 0);
	}
	S(chdir, P("/"));
	path_lookup(t, AT_FDCWD, "/m", 0, &at);
	assert_int_equal(mnt_umount(env_ns, at.mnt, 0), 0);
	path_put(&at);
	assert_int_equal(S(rmdir, P("/m")), 0);
	env_leave(t);
}

static void test_deep(void **state)
{
	ktest_call(deep, NULL);
}

static void tmpfile_(struct task *t, void *arg)
{
	struct abi_stat st;
	char buf[8];
	long fd;

	env_enter(t);
	fd = S(open, P("/"), O_TMPFILE | O_RDWR, 0600);
	assert_int_equal(fd, 0);
	assert_int_equal(S(write, fd, U("abc"), 3), 3);
	S(fstat, fd, U(&st));
	assert_int_equal(st.nlink, 0);
	assert_int_equal(S(linkat, fd, P(""), AT_FDCWD, P("/named"), AT_EMPTY_PATH), 0);
	S(close, fd);
	fd = S(open, P("/named"), O_RDONLY);
	assert_int_equal(S(read, fd, U(buf), 8), 3);
	S(close, fd);
	assert_int_equal(S(unlink, P("/named")), 0);
	fd = S(open, P("/"), O_TMPFILE | O_EXCL | O_RDWR, 0600);
	assert_int_equal(S(linkat, fd, P(""), AT_FDCWD, P("/named"), AT_EMPTY_PATH), -ENOENT);
	S(close, fd);
	assert_int_equal(S(open, P("/"), O_TMPFILE | O_RDONLY, 0600), -EINVAL);
	env_leave(t);
}

static void test_tmpfile(void **state)
{
	ktest_call(tmpfile_, NULL);
}

static void cache(struct task *t, void *arg)
{
	unsigned saved = dentry_cache_limit;
	struct abi_stat st;
	char buf[64];

	env_enter(t);
	d_prune(env_ns->root->sb, UINT32_MAX);
	dentry_cache_limit = 50;
	S(mkdir, P("/c"), 0755);
	for (int i = 0; i < 1000; i++) {
		snprintf(buf, sizeof(buf), "/c/d%i", i);
		assert_int_equal(S(mkdir, P(buf), 0755), 0);
		snprintf(buf, sizeof(buf), "/c/d%i/file-with-a-name-longer-than-the-inline-one-%i", i, i);
		CREATE(buf);
		assert_true(dentry_cache_unused() <= 52);
	}
	for (int i = 999; i >= 0; i--) {
		snprintf(buf, sizeof(buf), "/c/d%i/file-with-a-name-longer-than-the-inline-one-%i", i, i);
		assert_int_equal(S(stat, P(buf), U(&st)), 0);
		assert_int_equal(S(stat, P("/c/none"), U(&st)), -ENOENT);
		char to[64];
		snprintf(to, sizeof(to), "/c/d%i/s", i);
		assert_int_equal(S(rename, P(buf), P(to)), 0);
		assert_int_equal(S(unlink, P(to)), 0);
		snprintf(buf, sizeof(buf), "/c/d%i", i);
		assert_int_equal(S(rmdir, P(buf)), 0);
	}
	assert_int_equal(S(rmdir, P("/c")), 0);
	dentry_cache_limit = saved;
	env_leave(t);
}

static void test_cache(void **state)
{
	ktest_call(cache, NULL);
}

static void nested(struct task *t, void *arg)
{
	struct path at = {0}, from = {0};

	env_enter(t);
	S(mkdir, P("/n"), 0755);
	/* mounts on mounts: nothing may need a stack as deep as they are */
	for (int i = 0; i < 800; i++) {
		path_lookup(t, AT_FDCWD, "/n", 0, &at);
		assert_int_equal(mnt_mount_new(env_ns, &at, "tmpfs", "none", NULL, 0, 0), 0);
		path_put(&at);
	}
	struct mnt_ns *copy = mnt_ns_dup(env_ns, NULL);
	assert_non_null(copy);
	assert_int_equal(copy->count, env_ns->count);
	mnt_ns_unref(copy);
	S(mkdir, P("/o"), 0755);
	path_lookup(t, AT_FDCWD, "/", 0, &from);
	path_lookup(t, AT_FDCWD, "/o", 0, &at);
	assert_int_equal(mnt_bind(env_ns, &from, &at, true), 0);
	path_put(&at);
	path_lookup(t, AT_FDCWD, "/o", 0, &at);
	assert_int_equal(mnt_umount(env_ns, at.mnt, MNT_DETACH), 0);
	path_put(&at);
	path_put(&from);
	for (int i = 0; i < 800; i++) {
		path_lookup(t, AT_FDCWD, "/n", 0, &at);
		assert_int_equal(mnt_umount(env_ns, at.mnt, 0), 0);
		path_put(&at);
	}
	assert_int_equal(env_ns->count, 1);
	S(rmdir, P("/n")); S(rmdir, P("/o"));
	env_leave(t);
}

static void test_nested(void **state)
{
	ktest_call(nested, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_files),       cmocka_unit_test(test_dirs),
	    cmocka_unit_test(test_links),       cmocka_unit_test(test_renames),
	    cmocka_unit_test(test_permissions), cmocka_unit_test(test_descriptors),
	    cmocka_unit_test(test_mounts),      cmocka_unit_test(test_resolves),
	    cmocka_unit_test(test_deep),        cmocka_unit_test(test_tmpfile),
	    cmocka_unit_test(test_cache),       cmocka_unit_test(test_nested),
	};

	return cmocka_run_group_tests_name("vfs", tests, NULL, NULL);
}
