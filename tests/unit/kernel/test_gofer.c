/* The gofer and overlay file systems, end to end: a real sbx-fsd on a directory of the host, the VFS, and
 * system calls on top. Skipped when sbx-fsd is not built. */
#include "tests/unit/kernel/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/chan/ring.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/msg_fsd.h"
#include "common/ipc/startup.h"
#include "services/sysd/fs/dev/chrdev.h"
#include "services/sysd/fs/gofer/gofer.h"
#include "services/sysd/fs/overlay/overlay.h"
#include "services/sysd/mm/mmap_req.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/mount.h"
#include "services/sysd/vfs/namei.h"

void tmpfs_init(void);
void anon_inode_init(void);
SYS_HANDLER(openat);
SYS_HANDLER(read);
SYS_HANDLER(write);
SYS_HANDLER(close);
SYS_HANDLER(lseek);
SYS_HANDLER(mkdirat);
SYS_HANDLER(unlinkat);
SYS_HANDLER(renameat2);
SYS_HANDLER(linkat);
SYS_HANDLER(symlinkat);
SYS_HANDLER(readlinkat);
SYS_HANDLER(newfstatat);
SYS_HANDLER(fchmodat);
SYS_HANDLER(fchownat);
SYS_HANDLER(ftruncate);
SYS_HANDLER(mknodat);
SYS_HANDLER(getdents64);
SYS_HANDLER(fsetxattr);
SYS_HANDLER(fgetxattr);
SYS_HANDLER(fallocate);
SYS_HANDLER(utimensat);
SYS_HANDLER(statfs);

static char dir[] = "/tmp/sbx-gofer-XXXXXX";
static pid_t fsd;
static struct super_block *root_sb, *ovl_sb, *ro_sb, *shared_sb;
static struct cred cred = {.refs = 1, .cap_effective = UINT64_MAX, .cap_permitted = UINT64_MAX};
static struct signal sig;
static struct nsproxy ns = {.refs = 1};

/* The way to it on the host, where all that was done is to be seen. */
static char *host(const char *name)
{
	static char buf[4][512];
	static int i;

	gofer_settle();
	i = (i + 1) % 4;
	snprintf(buf[i], sizeof(buf[i]), "%s/%s", dir, name);
	return buf[i];
}

static void start_fsd(int *ret_ring, int *ret_pass)
{
	char exe[PATH_MAX];
	int ring, pass[2], launch[2], ready[2], fd;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 32);
	char c;

	assert_true(n > 0);
	exe[n] = 0;
	dirname(exe);
	strcat(exe, "/../../bin/sbx-fsd");
	if (access(exe, X_OK) < 0)
		skip();
	ring = ring_create_fd();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pass), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, launch), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	fsd = fork();
	if (!fsd) {
		int fds[] = {open("/dev/null", O_WRONLY), ready[1], ring, pass[1], launch[1]};

		for (int i = 0; i < 5; i++)
			fds[i] = fcntl(fds[i], F_DUPFD, 50);
		for (int i = 0; i < 5; i++)
			dup2(fds[i], 3 + i);
		close_range(8, ~0u, 0);
		execl(exe, exe, "--unsafe-no-confinement", NULL);
		_exit(127);
	}
	close(ready[1]);
	close(launch[1]);
	fd = open(dir, O_PATH | O_DIRECTORY);
	fdpass_send(launch[0], FSD_MOUNT_TICKET(0, 0), fd);
	fdpass_send(launch[0], FSD_MOUNT_TICKET(1, FSD_MOUNT_RDONLY), fd);
	close(fd);
	close(launch[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(pass[1]);
	*ret_ring = ring;
	*ret_pass = pass[0];
}

static void enter(struct task *t, struct super_block *sb)
{
	struct vfsmount *mnt = mnt_new(sb, sb->root, 0, "test");
	struct path root = {mnt, sb->root};

	t->cred = &cred;
	t->signal = &sig;
	t->ns = &ns;
	t->ns->mnt = mnt_ns_new(mnt);
	t->fs = fs_struct_new(&root, &root);
	t->fs->umask = 0;
	t->files = fdtable_new();
}

static void leave(struct task *t)
{
	fdtable_unref(t->files);
	fs_struct_unref(t->fs);
	mnt_ns_unref(t->ns->mnt);
	t->ns->mnt = NULL;
}

static void unmount(struct task *t, void *arg)
{
	super_unref(ovl_sb);
	super_unref(ro_sb);
	super_unref(shared_sb);
	super_unref(root_sb);
}

static void mounts(struct task *t, void *arg)
{
	struct gofer_options opt = {0};
	struct super_block *lower;

	assert_int_equal(gofer_mount(0, &opt, &root_sb), 0);
	assert_int_equal(gofer_mount(5, &opt, &lower), -ENODEV);
	opt.shared = true;
	assert_int_equal(gofer_mount(0, &opt, &shared_sb), 0);
	opt.shared = false;
	opt.readonly = true;
	assert_int_equal(gofer_mount(1, &opt, &ro_sb), 0);
	assert_int_equal(overlay_mount(&ro_sb, 1, 0, &ovl_sb), 0);
}

static int setup(void **state)
{
	int ring, pass;

	assert_non_null(mkdtemp(dir));
	umask(0);
	for (int i = 0; i < RLIM_NLIMITS; i++)
		sig.rlim[i].rlim_cur = sig.rlim[i].rlim_max = RLIM_INFINITY;
	sig.rlim[RLIMIT_NOFILE].rlim_cur = 1024;
	start_fsd(&ring, &pass);
	anon_inode_init();
	tmpfs_init();
	dev_init();
	assert_int_equal(gofer_connect(ring, pass), 0);
	ktest_call(mounts, NULL);
	return 0;
}

static int teardown(void **state)
{
	char cmd[64];

	ktest_call(unmount, NULL);
	if (fsd > 0) /* else it was not started, and 0 is ourselves */
		kill(fsd, SIGKILL);
	waitpid(fsd, NULL, 0);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

#define OPEN(path, flags, mode) ktest_sys(t, sys_openat, (uint64_t)AT_FDCWD, U(path), flags, mode)
#define CLOSE(fd) assert_int_equal(ktest_sys(t, sys_close, fd), 0)
#define WRITE(fd, s) ktest_sys(t, sys_write, fd, U(s), strlen(s))
#define MKDIR(p) ktest_sys(t, sys_mkdirat, (uint64_t)AT_FDCWD, U(p), 0755)
#define UNLINK(p) ktest_sys(t, sys_unlinkat, (uint64_t)AT_FDCWD, U(p), 0)
#define RMDIR(p) ktest_sys(t, sys_unlinkat, (uint64_t)AT_FDCWD, U(p), AT_REMOVEDIR)
#define RENAME(a, b, fl) ktest_sys(t, sys_renameat2, (uint64_t)AT_FDCWD, U(a), (uint64_t)AT_FDCWD, U(b), fl)
#define LINK(a, b) ktest_sys(t, sys_linkat, (uint64_t)AT_FDCWD, U(a), (uint64_t)AT_FDCWD, U(b), 0)
#define STAT(p, st) ktest_sys(t, sys_newfstatat, (uint64_t)AT_FDCWD, U(p), U(st), AT_SYMLINK_NOFOLLOW)

static int read_all(struct task *t, const char *path, char *buf, size_t size)
{
	long fd = OPEN(path, O_RDONLY, 0), n;

	if (fd < 0)
		return (int)fd;
	n = ktest_sys(t, sys_read, fd, U(buf), size - 1);
	assert_true(n >= 0);
	buf[n] = 0;
	CLOSE(fd);
	return (int)n;
}

static int count_entries(struct task *t, const char *path, const char *wanted)
{
	static char buf[32768];
	long fd = OPEN(path, O_RDONLY | O_DIRECTORY, 0), n;
	int count = 0, found = 0;

	assert_true(fd >= 0);
	while ((n = ktest_sys(t, sys_getdents64, fd, U(buf), sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			struct dirent64 *d = (void *)(buf + at);

			if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
				count++;
			if (wanted && !strcmp(d->d_name, wanted))
				found++;
			at += d->d_reclen;
		}
	}
	assert_int_equal(n, 0);
	CLOSE(fd);
	return wanted ? found : count;
}

/* The same story on any file system that is writable. */
static void story(struct task *t)
{
	char buf[4096];
	struct stat st, st2;
	long fd, fd2;

	assert_int_equal(MKDIR("/d"), 0);
	assert_int_equal(MKDIR("/d"), -EEXIST);
	fd = OPEN("/d/f", O_RDWR | O_CREAT | O_EXCL, 0640);
	assert_true(fd >= 0);
	assert_int_equal(WRITE(fd, "hello world"), 11);
	assert_int_equal(ktest_sys(t, sys_lseek, fd, 6, SEEK_SET), 6);
	assert_int_equal(ktest_sys(t, sys_read, fd, U(buf), 100), 5);
	assert_memory_equal(buf, "world", 5);
	assert_int_equal(STAT("/d/f", &st), 0);
	assert_int_equal(st.st_size, 11);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(ktest_sys(t, sys_ftruncate, fd, 5), 0);
	assert_int_equal(read_all(t, "/d/f", buf, sizeof(buf)), 5);
	assert_int_equal(LINK("/d/f", "/d/g"), 0);
	assert_int_equal(STAT("/d/g", &st2), 0);
	assert_int_equal(st2.st_ino, st.st_ino);
	assert_int_equal(st2.st_nlink, 2);
	assert_int_equal(UNLINK("/d/f"), 0);
	assert_int_equal(STAT("/d/f", &st), -ENOENT);
	assert_int_equal(STAT("/d/g", &st), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(RENAME("/d/g", "/d/h", 0), 0);
	assert_int_equal(WRITE(fd, "!"), 1); /* the description follows, at offset 11 */
	assert_int_equal(STAT("/d/h", &st), 0);
	assert_int_equal(st.st_size, 12);
	/* unlinked but open */
	assert_int_equal(UNLINK("/d/h"), 0);
	assert_int_equal(ktest_sys(t, sys_lseek, fd, 0, SEEK_SET), 0);
	assert_int_equal(ktest_sys(t, sys_read, fd, U(buf), 5), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(ktest_sys(t, sys_newfstatat, fd, U(""), U(&st), AT_EMPTY_PATH), 0);
	assert_int_equal(st.st_nlink, 0);
	CLOSE(fd);
	/* symbolic links, append, rename over */
	assert_int_equal(ktest_sys(t, sys_symlinkat, U("target"), (uint64_t)AT_FDCWD, U("/d/s")), 0);
	assert_int_equal(ktest_sys(t, sys_readlinkat, (uint64_t)AT_FDCWD, U("/d/s"), U(buf), 100), 6);
	fd = OPEN("/d/target", O_WRONLY | O_CREAT | O_APPEND, 0644);
	assert_int_equal(WRITE(fd, "aa"), 2);
	fd2 = OPEN("/d/s", O_WRONLY | O_APPEND, 0);
	assert_int_equal(WRITE(fd2, "bb"), 2);
	assert_int_equal(WRITE(fd, "cc"), 2);
	CLOSE(fd);
	CLOSE(fd2);
	assert_int_equal(read_all(t, "/d/s", buf, sizeof(buf)), 6);
	assert_string_equal(buf, "aabbcc");
	fd = OPEN("/d/other", O_WRONLY | O_CREAT, 0600);
	CLOSE(fd);
	assert_int_equal(RENAME("/d/other", "/d/target", 1), -EEXIST);
	assert_int_equal(RENAME("/d/other", "/d/target", 2), 0); /* exchange */
	assert_int_equal(read_all(t, "/d/other", buf, sizeof(buf)), 6);
	assert_int_equal(RENAME("/d/other", "/d/target", 0), 0);
	assert_int_equal(count_entries(t, "/d", NULL), 2);
	assert_int_equal(RMDIR("/d"), -ENOTEMPTY);
	/* directories move with what is in them */
	assert_int_equal(MKDIR("/d/sub"), 0);
	assert_int_equal(RENAME("/d", "/e", 0), 0);
	assert_int_equal(read_all(t, "/e/target", buf, sizeof(buf)), 6);
	assert_int_equal(STAT("/d", &st), -ENOENT);
	assert_int_equal(STAT("/e/sub", &st), 0);
	assert_int_equal(RMDIR("/e/sub"), 0);
	/* attributes */
	assert_int_equal(ktest_sys(t, sys_fchmodat, (uint64_t)AT_FDCWD, U("/e/target"), 04711), 0);
	assert_int_equal(ktest_sys(t, sys_fchownat, (uint64_t)AT_FDCWD, U("/e/target"), 12, 34, 0), 0);
	struct timespec ts[2] = {{1000, 1}, {2000, 2}};
	assert_int_equal(ktest_sys(t, sys_utimensat, (uint64_t)AT_FDCWD, U("/e/target"), U(ts), 0), 0);
	assert_int_equal(STAT("/e/target", &st), 0);
	assert_int_equal(st.st_uid, 12);
	assert_int_equal(st.st_gid, 34);
	assert_int_equal(st.st_mtim.tv_sec, 2000);
	assert_int_equal(st.st_mtim.tv_nsec, 2);
	/* O_TMPFILE and its name */
	fd = OPEN("/e", O_TMPFILE | O_RDWR, 0600);
	assert_true(fd >= 0);
	assert_int_equal(WRITE(fd, "tmp"), 3);
	CLOSE(fd);
	/* holes */
	fd = OPEN("/e/sparse", O_RDWR | O_CREAT, 0600);
	assert_int_equal(ktest_sys(t, sys_lseek, fd, 1 << 20, SEEK_SET), 1 << 20);
	assert_int_equal(WRITE(fd, "x"), 1);
	assert_int_equal(ktest_sys(t, sys_lseek, fd, 0, SEEK_DATA), 1 << 20);
	assert_int_equal(ktest_sys(t, sys_lseek, fd, 0, SEEK_HOLE), 0);
	assert_int_equal(ktest_sys(t, sys_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 4096), 0);
	CLOSE(fd);
	/* nodes of the sandbox */
	assert_int_equal(ktest_sys(t, sys_mknodat, (uint64_t)AT_FDCWD, U("/e/null"), S_IFCHR | 0666, makedev(1, 3)), 0);
	fd = OPEN("/e/null", O_RDWR, 0);
	assert_true(fd >= 0);
	assert_int_equal(WRITE(fd, "gone"), 4);
	assert_int_equal(ktest_sys(t, sys_read, fd, U(buf), 10), 0);
	CLOSE(fd);
	assert_int_equal(ktest_sys(t, sys_mknodat, (uint64_t)AT_FDCWD, U("/e/fifo"), S_IFIFO | 0600, 0), 0);
	assert_int_equal(STAT("/e/fifo", &st), 0);
	assert_int_equal(st.st_mode, S_IFIFO | 0600);
	/* many files, read in pieces while they go */
	for (int i = 0; i < 500; i++) {
		snprintf(buf, sizeof(buf), "/e/sub%d", i);
		fd = OPEN(buf, O_WRONLY | O_CREAT, 0644);
		assert_true(fd >= 0);
		CLOSE(fd);
	}
	assert_int_equal(count_entries(t, "/e", NULL), 505);
	assert_int_equal(count_entries(t, "/e", "sub77"), 1);
	for (int i = 0; i < 500; i++) {
		snprintf(buf, sizeof(buf), "/e/sub%d", i);
		assert_int_equal(UNLINK(buf), 0);
	}
	assert_int_equal(count_entries(t, "/e", NULL), 5);
	assert_int_equal(UNLINK("/e/sparse"), 0);
	assert_int_equal(UNLINK("/e/null"), 0);
	assert_int_equal(UNLINK("/e/fifo"), 0);
	assert_int_equal(UNLINK("/e/s"), 0);
	assert_int_equal(UNLINK("/e/target"), 0);
	assert_int_equal(RMDIR("/e"), 0);
}

static void on_gofer(struct task *t, void *arg)
{
	enter(t, root_sb);
	story(t);
	assert_int_equal(access(host("e"), F_OK), -1);
	leave(t);
}

static void test_gofer(void **state)
{
	ktest_call(on_gofer, NULL);
}

static void cached(struct task *t, void *arg)
{
	char buf[64];
	struct stat st;
	uint64_t before;
	long fd;

	enter(t, root_sb);
	assert_int_equal(MKDIR("/c"), 0);
	fd = OPEN("/c/f", O_WRONLY | O_CREAT, 0644);
	WRITE(fd, "data");
	CLOSE(fd);
	assert_int_equal(STAT("/c/none", &st), -ENOENT);
	before = gofer_get_stats()->requests;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(STAT("/c/f", &st), 0);
		assert_int_equal(STAT("/c/none", &st), -ENOENT);
		assert_int_equal(read_all(t, "/c/f", buf, sizeof(buf)), 4);
	}
	assert_int_equal(gofer_get_stats()->requests, before);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(UNLINK("/c/f"), 0);
	assert_int_equal(RMDIR("/c"), 0);
	leave(t);
}

static void test_cached(void **state)
{
	ktest_call(cached, NULL);
}

/* What others do to the files is seen at once on a shared mount. */
static void on_shared(struct task *t, void *arg)
{
	char buf[64];
	struct stat st;
	long fd;
	int h;

	enter(t, shared_sb);
	story(t);
	assert_int_equal(STAT("/theirs", &st), -ENOENT);
	h = open(host("theirs"), O_CREAT | O_RDWR, 0644);
	assert_int_equal(write(h, "one", 3), 3);
	assert_int_equal(STAT("/theirs", &st), 0);
	assert_int_equal(st.st_size, 3);
	fd = OPEN("/theirs", O_RDWR | O_APPEND, 0);
	assert_int_equal(write(h, "two", 3), 3);
	assert_int_equal(STAT("/theirs", &st), 0);
	assert_int_equal(st.st_size, 6);
	assert_int_equal(write(h, "x", 1), 1);
	assert_int_equal(WRITE(fd, "end"), 3);
	assert_int_equal(read_all(t, "/theirs", buf, sizeof(buf)), 10);
	assert_string_equal(buf, "onetwoxend");
	assert_int_equal(fchmod(h, 0600), 0);
	assert_int_equal(STAT("/theirs", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	/* another file takes the name */
	close(h);
	h = open(host("new"), O_CREAT | O_RDWR, 0644);
	assert_int_equal(write(h, "other", 5), 5);
	close(h);
	assert_int_equal(rename(host("new"), host("theirs")), 0);
	assert_int_equal(read_all(t, "/theirs", buf, sizeof(buf)), 5);
	assert_int_equal(ktest_sys(t, sys_lseek, fd, 0, SEEK_END), 10);
	CLOSE(fd);
	assert_int_equal(unlink(host("theirs")), 0);
	assert_int_equal(STAT("/theirs", &st), -ENOENT);
	assert_int_equal(OPEN("/theirs", O_RDONLY, 0), -ENOENT);
	/* a directory moves beneath us */
	assert_int_equal(MKDIR("/dir"), 0);
	assert_int_equal(MKDIR("/dir/sub"), 0);
	fd = OPEN("/dir/sub", O_RDONLY | O_DIRECTORY, 0);
	assert_int_equal(rename(host("dir"), host("gone")), 0);
	assert_int_equal(STAT("/dir/sub", &st), -ENOENT);
	assert_int_equal(STAT("/gone/sub", &st), 0);
	assert_int_equal(count_entries(t, "/", "gone"), 1);
	assert_int_equal(rmdir(host("gone/sub")), 0);
	assert_int_equal(count_entries(t, "/gone", NULL), 0);
	assert_int_equal(rmdir(host("gone")), 0);
	assert_int_equal(count_entries(t, "/", "gone"), 0);
	CLOSE(fd);
	leave(t);
}

static void test_shared(void **state)
{
	ktest_call(on_shared, NULL);
}

static void tree_walk(struct task *t, void *arg)
{
	char buf[64];
	struct stat st;
	uint64_t before;

	for (int d = 0; d < 20; d++) {
		snprintf(buf, sizeof(buf), "walk/d%d", d);
		mkdir(host("walk"), 0755);
		mkdir(host(buf), 0755);
		for (int i = 0; i < 50; i++) {
			snprintf(buf, sizeof(buf), "walk/d%d/f%d", d, i);
			close(open(host(buf), O_CREAT | O_WRONLY, 0644));
		}
	}
	enter(t, root_sb);
	before = gofer_get_stats()->requests;
	assert_int_equal(count_entries(t, "/walk", NULL), 20);
	for (int d = 0; d < 20; d++) {
		snprintf(buf, sizeof(buf), "/walk/d%d", d);
		assert_int_equal(count_entries(t, buf, NULL), 50);
		for (int i = 0; i < 50; i++) {
			snprintf(buf, sizeof(buf), "/walk/d%d/f%d", d, i);
			assert_int_equal(STAT(buf, &st), 0);
			assert_true(S_ISREG(st.st_mode));
		}
	}
	assert_in_range(gofer_get_stats()->requests - before, 20, 40);
	leave(t);
}

static void test_walk(void **state)
{
	ktest_call(tree_walk, NULL);
}

static void on_overlay(struct task *t, void *arg)
{
	char buf[64];
	struct stat st, st2;
	long fd, ro, n;

	assert_int_equal(mkdir(host("lower"), 0755), 0);
	assert_int_equal(mkdir(host("lower/sub"), 0750), 0);
	fd = open(host("lower/file"), O_CREAT | O_WRONLY, 0644);
	assert_int_equal(write((int)fd, "below", 5), 5);
	close((int)fd);
	assert_int_equal(link(host("lower/file"), host("lower/hard")), 0);
	close(open(host("lower/sub/x"), O_CREAT | O_WRONLY, 0600));
	enter(t, ovl_sb);
	story(t);
	assert_int_equal(STAT("/lower/file", &st), 0);
	assert_int_equal(st.st_nlink, 2);
	ro = OPEN("/lower/file", O_RDONLY, 0);
	assert_int_equal(ktest_sys(t, sys_read, ro, U(buf), 2), 2);
	fd = OPEN("/lower/file", O_RDWR, 0);
	assert_true(fd >= 0);
	assert_int_equal(WRITE(fd, "ABOVE"), 5);
	/* the old description sees the copy, the other name too, and the host's file is as it was */
	assert_int_equal(ktest_sys(t, sys_read, ro, U(buf), 10), 3);
	assert_memory_equal(buf, "OVE", 3);
	CLOSE(ro);
	CLOSE(fd);
	assert_int_equal(read_all(t, "/lower/hard", buf, sizeof(buf)), 5);
	assert_string_equal(buf, "ABOVE");
	assert_int_equal(STAT("/lower/hard", &st2), 0);
	assert_int_equal(st.st_ino, st2.st_ino);
	assert_int_equal(st2.st_dev, st.st_dev);
	fd = open(host("lower/file"), O_RDONLY);
	n = read((int)fd, buf, 10);
	assert_int_equal(n, 5);
	assert_memory_equal(buf, "below", 5);
	close((int)fd);
	/* whiteouts and opaque directories */
	assert_int_equal(UNLINK("/lower/file"), 0);
	assert_int_equal(STAT("/lower/file", &st), -ENOENT);
	assert_int_equal(count_entries(t, "/lower", "file"), 0);
	assert_int_equal(count_entries(t, "/lower", NULL), 2);
	assert_int_equal(RMDIR("/lower/sub"), -ENOTEMPTY);
	assert_int_equal(UNLINK("/lower/sub/x"), 0);
	assert_int_equal(RMDIR("/lower/sub"), 0);
	assert_int_equal(MKDIR("/lower/sub"), 0);
	assert_int_equal(count_entries(t, "/lower/sub", NULL), 0);
	assert_int_equal(STAT("/lower/sub/x", &st), -ENOENT);
	/* a merged directory moves as a whole */
	assert_int_equal(RENAME("/lower", "/moved", 0), 0);
	assert_int_equal(read_all(t, "/moved/hard", buf, sizeof(buf)), 5);
	assert_int_equal(STAT("/lower", &st), -ENOENT);
	assert_int_equal(RENAME("/moved", "/lower", 0), 0);
	assert_int_equal(STAT("/lower/hard", &st), 0);
	assert_int_equal(ktest_sys(t, sys_fchmodat, (uint64_t)AT_FDCWD, U("/walk/d1/f1"), 0600), 0);
	assert_int_equal(STAT("/walk/d1/f1", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(count_entries(t, "/walk/d1", NULL), 50);
	assert_int_equal(stat(host("walk/d1/f1"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	leave(t);
}

static void test_overlay(void **state)
{
	ktest_call(on_overlay, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gofer),
	    cmocka_unit_test(test_cached),
	    cmocka_unit_test(test_shared),
	    cmocka_unit_test(test_walk),
	    cmocka_unit_test(test_overlay),
	};

	return cmocka_run_group_tests_name("gofer", tests, setup, teardown);
}
