/* fsd's requests on a directory of the host: what they do, and that a hostile sysd gets nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/ipc/fdpass.h"
#include "common/ipc/startup.h"
#include "fsd/serve.h"

static struct server server;
static struct ring peer;
static int pass[2];
static char dir[] = "/tmp/sbx-fsd-XXXXXX";
static uint8_t reply_buf[RING_MSG_MAX];
static uint64_t root, ro_root;
static uint64_t next_id = 1;

static char *in_dir(const char *name)
{
	static char buf[4][512];
	static int i;

	snprintf(buf[i = (i + 1) % 4], sizeof(buf[0]), "%s/%s", dir, name);
	return buf[i];
}

/* Sends a request past the client's checks; 0 or the error of the reply. */
static int raw_call(const void *msg, size_t size, struct fsd_reply *rep)
{
	ssize_t n;

	memcpy(server.in, msg, size);
	if (server_handle(&server, size) == -EPROTO)
		return -EPROTO;
	n = ring_recv(&peer, reply_buf, sizeof(reply_buf));
	assert_true(n > 0);
	if (fsd_reply_decode(rep, reply_buf, (size_t)n) < 0) {
		struct fsd_dir_reader r;

		assert_int_equal(fsd_dir_open(&r, reply_buf, (size_t)n), 0);
		return 0;
	}
	return -(int)rep->err;
}

static int call(struct fsd_req *q, struct fsd_reply *rep)
{
	static uint8_t buf[RING_MSG_MAX];
	long n;

	q->id = next_id++;
	n = fsd_req_encode(q, buf, sizeof(buf));
	assert_true(n > 0);
	return raw_call(buf, (size_t)n, rep);
}

#define STR(s) {(s), strlen(s)}
#define CALL(rep, ...) call(&(struct fsd_req){__VA_ARGS__}, rep)

static int take_fd(uint64_t id)
{
	uint64_t ticket;
	int fd = fdpass_recv(pass[0], MSG_DONTWAIT, &ticket);

	if (fd >= 0)
		assert_int_equal(ticket, id);
	return fd;
}

static int setup(void **state)
{
	int fd, s[2];

	assert_non_null(mkdtemp(dir));
	umask(0);
	assert_int_equal(node_init(), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	fd = open(dir, O_PATH | O_DIRECTORY);
	assert_int_equal(fdpass_send(s[0], FSD_MOUNT_TICKET(0, 0), fd), 0);
	assert_int_equal(fdpass_send(s[0], FSD_MOUNT_TICKET(1, FSD_MOUNT_RDONLY), fd), 0);
	close(s[0]);
	close(fd);
	assert_int_equal(mount_receive(s[1]), 2);
	close(s[1]);
	fd = ring_create_fd();
	assert_int_equal(ring_open(&peer, fd, SBX_RING_SIDE_SYSD), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pass), 0);
	assert_int_equal(server_init(&server, fd, pass[1]), 0);
	close(fd);
	server.proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct fsd_reply rep;
	assert_int_equal(CALL(&rep, .op = FSD_ATTACH, .mount = 0), 0);
	root = rep.node;
	assert_true(S_ISDIR(rep.attr.mode));
	assert_int_equal(CALL(&rep, .op = FSD_ATTACH, .mount = 1), 0);
	ro_root = rep.node;
	assert_int_equal(rep.flags, FSD_MOUNT_RDONLY);
	assert_int_equal(CALL(&rep, .op = FSD_ATTACH, .mount = 2), -ENODEV);
	return 0;
}

static int teardown(void **state)
{
	char cmd[64];

	close(server.proc_fd);
	server_done(&server);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

static void test_create_open_unlink(void **state)
{
	struct fsd_reply rep;
	struct stat st;
	int fd;

	assert_int_equal(CALL(&rep, .op = FSD_CREATE, .node = root, .name = STR("f"), .mode = S_IFREG | 04751,
			      .uid = getuid(), .gid = getgid(), .flags = FSD_OPEN_FD), 0);
	assert_int_equal(rep.attr.mode, S_IFREG | 04751);
	fd = take_fd(next_id - 1);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "hello", 5), 5);
	close(fd);
	assert_int_equal(CALL(&rep, .op = FSD_CREATE, .node = root, .name = STR("f"), .mode = 0644), -EEXIST);
	assert_int_equal(take_fd(0), -EAGAIN);
	assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = root, .name = STR("f")), 0);
	assert_int_equal(rep.attr.size, 5);
	fd = take_fd(next_id - 1);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(fd);
	assert_int_equal(CALL(&rep, .op = FSD_SETATTR, .node = root, .name = STR("f"),
			      .valid = FSD_SET_SIZE | FSD_SET_MODE | FSD_SET_MTIME, .size = 3, .mode = 0600,
			      .mtime = {1000, 5}), 0);
	assert_int_equal(stat(in_dir("f"), &st), 0);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
	assert_int_equal(CALL(&rep, .op = FSD_UNLINK, .node = root, .name = STR("f"), .flags = FSD_KEEP), 0);
	assert_true(rep.node != 0);
	uint64_t kept = rep.node;
	assert_int_equal(CALL(&rep, .op = FSD_GETATTR, .node = kept), 0);
	assert_int_equal(rep.attr.nlink, 0);
	assert_int_equal(CALL(&rep, .op = FSD_SETATTR, .node = kept, .valid = FSD_SET_MODE, .mode = 0640), 0);
	assert_int_equal(rep.attr.mode, S_IFREG | 0640);
	server.nodes[0] = kept;
	{
		uint8_t buf[64];
		uint64_t nodes[1] = {kept};
		struct fsd_req q = {.op = FSD_FORGET, .nodes = nodes, .node_count = 1};
		long n = fsd_req_encode(&q, buf, sizeof(buf));

		memcpy(server.in, buf, (size_t)n);
		assert_int_equal(server_handle(&server, (size_t)n), 0);
	}
	assert_int_equal(CALL(&rep, .op = FSD_GETATTR, .node = kept), -ESTALE);
	assert_int_equal(CALL(&rep, .op = FSD_UNLINK, .node = root, .name = STR("f")), -ENOENT);
}

static int open_node(uint64_t node, uint32_t flags, int access)
{
	struct fsd_reply rep;
	int ret = CALL(&rep, .op = FSD_OPEN, .node = node, .flags = flags), fd;

	if (ret < 0)
		return ret;
	fd = take_fd(next_id - 1);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, access);
	return fd;
}

/* What has no name is opened anew with the access that was asked for. */
static void test_open_nameless(void **state)
{
	struct fsd_reply rep;
	uint64_t kept;
	char c = 0;
	int rw, ro;

	assert_int_equal(CALL(&rep, .op = FSD_CREATE, .node = root, .name = STR("f"), .mode = S_IFREG | 0400,
			      .uid = getuid(), .gid = getgid(), .flags = FSD_OPEN_FD), 0);
	close(take_fd(next_id - 1));
	assert_int_equal(CALL(&rep, .op = FSD_UNLINK, .node = root, .name = STR("f"), .flags = FSD_KEEP), 0);
	kept = rep.node;
	if (getuid() == 0) { /* a file that its owner may not write to is root's to write */
		rw = open_node(kept, FSD_OPEN_WRITE, O_RDWR);
		assert_int_equal(pwrite(rw, "x", 1, 0), 1);
		ro = open_node(kept, 0, O_RDONLY);
		assert_int_equal(pread(ro, &c, 1, 0), 1);
		assert_int_equal(c, 'x');
		close(rw);
	} else {
		ro = open_node(kept, 0, O_RDONLY);
	}
	close(ro);
	assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = kept, .flags = FSD_OPEN_WRITE << 1), -EINVAL);

	/* not what could lead on or act when it is opened */
	assert_int_equal(CALL(&rep, .op = FSD_SYMLINK, .node = root, .name = STR("l"), .value = STR("/etc/passwd"),
			      .uid = getuid(), .gid = getgid()), 0);
	assert_int_equal(CALL(&rep, .op = FSD_UNLINK, .node = root, .name = STR("l"), .flags = FSD_KEEP), 0);
	assert_int_equal(open_node(rep.node, 0, O_RDONLY), -EINVAL);
	assert_int_equal(CALL(&rep, .op = FSD_MKNOD, .node = root, .name = STR("p"), .mode = S_IFIFO | 0600,
			      .uid = getuid(), .gid = getgid()), 0);
	assert_int_equal(CALL(&rep, .op = FSD_UNLINK, .node = root, .name = STR("p"), .flags = FSD_KEEP), 0);
	assert_int_equal(open_node(rep.node, 0, O_RDONLY), -EINVAL);

	/* its node's own descriptor is for writing too */
	if (CALL(&rep, .op = FSD_TMPFILE, .node = root, .mode = S_IFREG | 0600, .uid = getuid(), .gid = getgid()) == 0) {
		uint64_t tmp = rep.node;

		close(take_fd(next_id - 1));
		close(open_node(tmp, 0, O_RDONLY));
		close(open_node(tmp, FSD_OPEN_WRITE, O_RDWR));
	}
}

static void test_directories(void **state)
{
	struct fsd_reply rep;
	uint64_t a, b;

	assert_int_equal(CALL(&rep, .op = FSD_MKDIR, .node = root, .name = STR("a"), .mode = 02755,
			      .uid = getuid(), .gid = getgid()), 0);
	a = rep.node;
	assert_int_equal(rep.attr.mode, S_IFDIR | 02755);
	assert_int_equal(CALL(&rep, .op = FSD_MKDIR, .node = a, .name = STR("b"), .mode = 0755), 0);
	b = rep.node;
	assert_int_equal(CALL(&rep, .op = FSD_WALK, .node = root, .names = {STR("a"), STR("b"), STR("x")},
			      .name_count = 3), -ENOENT);
	assert_int_equal(rep.walked_count, 2);
	assert_int_equal(rep.walked[0].node, a);
	assert_int_equal(rep.walked[1].node, b);
	assert_int_equal(CALL(&rep, .op = FSD_RENAME, .node = a, .name = STR("b"), .node2 = root,
			      .name2 = STR("c")), 0);
	assert_int_equal(CALL(&rep, .op = FSD_CREATE, .node = b, .name = STR("in"), .mode = 0644), 0);
	assert_int_equal(access(in_dir("c/in"), F_OK), 0);
	assert_int_equal(CALL(&rep, .op = FSD_RMDIR, .node = root, .name = STR("c")), -ENOTEMPTY);
	assert_int_equal(CALL(&rep, .op = FSD_RMDIR, .node = root, .name = STR("a")), 0);
	assert_int_equal(CALL(&rep, .op = FSD_MKDIR, .node = a, .name = STR("x"), .mode = 0755), -ENOENT);
	assert_int_equal(CALL(&rep, .op = FSD_GETATTR, .node = a), 0);
	assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = b), -EISDIR);
	assert_int_equal(take_fd(0), -EAGAIN);
}

static void test_readdir(void **state)
{
	struct fsd_reply rep;
	uint64_t d, cookie = 0;
	unsigned seen = 0, messages = 0;
	char name[32];

	assert_int_equal(CALL(&rep, .op = FSD_MKDIR, .node = root, .name = STR("many"), .mode = 0755), 0);
	d = rep.node;
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "many/f%d", i);
		close(open(in_dir(name), O_CREAT | O_WRONLY, 0644));
	}
	for (;;) {
		struct fsd_req q = {.op = FSD_READDIR, .id = next_id++, .node = root, .name = STR("many"),
				    .cookie = cookie, .flags = FSD_DIR_ATTR, .size = 65536};
		struct fsd_dir_reader r;
		struct fsd_dirent e;
		long n = fsd_req_encode(&q, server.in, sizeof(server.in));
		int ret;

		assert_int_equal(server_handle(&server, (size_t)n), 0);
		n = ring_recv(&peer, reply_buf, sizeof(reply_buf));
		assert_true(n > 0 && n <= 65536 + 64);
		assert_int_equal(fsd_dir_open(&r, reply_buf, (size_t)n), 0);
		assert_int_equal(r.node, d);
		while ((ret = fsd_dir_next(&r, &e)) == 1) {
			assert_true(e.has_attr);
			assert_int_equal(e.type, DT_REG);
			seen++;
		}
		assert_int_equal(ret, 0);
		messages++;
		if (r.flags & FSD_READDIR_EOF)
			break;
		cookie = r.cookie;
	}
	assert_int_equal(seen, 3000);
	assert_true(messages > 2);
}

static void test_links_and_nodes(void **state)
{
	struct fsd_reply rep;
	uint64_t tmp;
	int fd;

	assert_int_equal(CALL(&rep, .op = FSD_SYMLINK, .node = root, .name = STR("s"), .value = STR("/etc/passwd")), 0);
	assert_int_equal(CALL(&rep, .op = FSD_READLINK, .node = root, .name = STR("s")), 0);
	assert_memory_equal(rep.value.data, "/etc/passwd", 11);
	assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = root, .name = STR("s")), -ELOOP);
	assert_int_equal(CALL(&rep, .op = FSD_SETATTR, .node = root, .name = STR("s"), .valid = FSD_SET_SIZE), -EOPNOTSUPP);
	assert_int_equal(CALL(&rep, .op = FSD_WALK, .node = root, .names = {STR("s"), STR("x")}, .name_count = 2), 0);
	assert_int_equal(rep.walked_count, 1);
	assert_int_equal(rep.walked[0].node, 0);
	assert_int_equal(CALL(&rep, .op = FSD_MKNOD, .node = root, .name = STR("p"), .mode = S_IFIFO | 0620), 0);
	assert_int_equal(rep.attr.mode, S_IFIFO | 0620);
	assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = root, .name = STR("p")), -EINVAL);
	if (CALL(&rep, .op = FSD_MKNOD, .node = root, .name = STR("null"), .mode = S_IFCHR | 0666,
		 .rdev = makedev(1, 3)) == 0) {
		struct stat st;

		assert_int_equal(rep.attr.mode, S_IFCHR | 0666);
		assert_int_equal(rep.attr.rdev, makedev(1, 3));
		assert_int_equal(lstat(in_dir("null"), &st), 0);
		assert_true(S_ISREG(st.st_mode));
		assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = root, .name = STR("null")), -EINVAL);
		assert_int_equal(CALL(&rep, .op = FSD_SETATTR, .node = root, .name = STR("null"),
				      .valid = FSD_SET_MODE, .mode = 0600), 0);
		assert_int_equal(rep.attr.mode, S_IFCHR | 0600);
		assert_int_equal(CALL(&rep, .op = FSD_LISTXATTR, .node = root, .name = STR("null")), 0);
		assert_int_equal(rep.value.size, 0);
		assert_int_equal(CALL(&rep, .op = FSD_SETXATTR, .node = root, .name = STR("null"),
				      .xname = STR("user.sbx.node"), .value = STR("x")), -EOPNOTSUPP);
	}
	assert_int_equal(CALL(&rep, .op = FSD_TMPFILE, .node = root, .mode = 0600, .uid = getuid(),
			      .gid = getgid()), 0);
	tmp = rep.node;
	fd = take_fd(next_id - 1);
	assert_int_equal(write(fd, "tmp", 3), 3);
	close(fd);
	assert_int_equal(CALL(&rep, .op = FSD_LINK, .node = tmp, .node2 = root, .name2 = STR("named")), 0);
	assert_int_equal(rep.attr.size, 3);
	assert_int_equal(CALL(&rep, .op = FSD_LINK, .node = root, .name = STR("named"), .node2 = root,
			      .name2 = STR("again")), 0);
	assert_int_equal(rep.attr.nlink, 2);
	assert_int_equal(CALL(&rep, .op = FSD_STATFS, .node = root), 0);
	assert_true(rep.statfs.bsize > 0);
}

static uint64_t pool_of(uint64_t node, uint64_t count, struct fsd_reply *rep)
{
	assert_int_equal(CALL(rep, .op = FSD_POOL, .node = node, .mode = S_IFREG | 0640, .uid = 1, .gid = 2, .size = count), 0);
	for (size_t i = 0; i < rep->walked_count; i++) {
		struct stat st;
		int fd = take_fd(next_id - 1);

		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_ino, rep->walked[i].attr.ino);
		assert_int_equal(st.st_nlink, 0);
		assert_int_equal(rep->walked[i].attr.mode, S_IFREG | 0640);
		assert_int_equal(rep->walked[i].attr.uid, 1);
		close(fd);
	}
	return rep->walked_count ? rep->walked[0].node : 0;
}

static void test_pool(void **state)
{
	struct fsd_reply rep, dir_rep;
	struct stat st;
	uint64_t file;
	int ret = CALL(&rep, .op = FSD_POOL, .node = root, .mode = 0600, .size = 1);

	if (ret == -EOPNOTSUPP || ret == -ENOSPC)
		skip(); /* the file system or the kernel cannot, or the disk is nearly full */
	close(take_fd(next_id - 1));
	file = pool_of(root, 3, &rep);
	assert_int_equal(rep.walked_count, 3);
	assert_int_equal(CALL(&rep, .op = FSD_BIRTH, .node = root, .name = STR("born"), .node2 = file, .mode = 0604,
			      .flags = FSD_BIRTH_MODE | FSD_BIRTH_TOUCH, .mtime = {4000000000, 7}), 0);
	assert_int_equal(stat(in_dir("born"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0604);
	assert_int_equal(st.st_uid, 1);
	assert_int_equal(st.st_mtim.tv_sec, 4000000000); /* what was asked for, as nothing newer was written */
	assert_int_equal(st.st_mtim.tv_nsec, 7);
	assert_int_equal(st.st_nlink, 1);
	/* once only, and of the pool only */
	assert_int_equal(CALL(&rep, .op = FSD_BIRTH, .node = root, .name = STR("again"), .node2 = file), -ESTALE);
	assert_int_equal(CALL(&rep, .op = FSD_BIRTH, .node = root, .name = STR("again"), .node2 = root), -ESTALE);
	assert_int_equal(CALL(&dir_rep, .op = FSD_MKDIR, .node = root, .name = STR("pd"), .mode = S_IFDIR | 0755), 0);
	assert_int_equal(CALL(&rep, .op = FSD_BIRTH, .node = root, .name = STR("again"), .node2 = dir_rep.node), -ESTALE);
	file = pool_of(root, 100, &rep);
	assert_int_equal(rep.walked_count, FSD_POOL_MAX);
	assert_int_equal(CALL(&rep, .op = FSD_BIRTH, .node = root, .name = STR("born"), .node2 = file), -EEXIST);
	assert_int_equal(CALL(&rep, .op = FSD_BIRTH, .node = root, .name = STR("x"), .node2 = file, .flags = 4), -EINVAL);
	assert_int_equal(CALL(&rep, .op = FSD_BIRTH, .node = ro_root, .name = STR("x"), .node2 = file), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_BIRTH, .node = dir_rep.node, .name = STR("x"), .node2 = file), 0);
	assert_int_equal(CALL(&rep, .op = FSD_POOL, .node = ro_root, .mode = 0600, .size = 1), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_POOL, .node = root, .mode = 0600, .size = 0), 0);
	assert_int_equal(unlink(in_dir("pd/x")), 0);
	assert_int_equal(rmdir(in_dir("pd")), 0);
	assert_int_equal(unlink(in_dir("born")), 0);
}

static void test_read_only(void **state)
{
	struct fsd_reply rep;

	close(open(in_dir("ro"), O_CREAT | O_WRONLY, 0644));
	assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = ro_root, .name = STR("ro"), .flags = FSD_OPEN_WRITE), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = ro_root, .name = STR("ro"), .flags = 4), -EINVAL);
	assert_int_equal(CALL(&rep, .op = FSD_CREATE, .node = ro_root, .name = STR("n")), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_MKDIR, .node = ro_root, .name = STR("n")), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_MKNOD, .node = ro_root, .name = STR("n"), .mode = S_IFIFO), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_SYMLINK, .node = ro_root, .name = STR("n"), .value = STR("x")), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_UNLINK, .node = ro_root, .name = STR("ro")), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_RMDIR, .node = ro_root, .name = STR("many")), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_TMPFILE, .node = ro_root, .mode = 0600), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_SETATTR, .node = ro_root, .name = STR("ro"), .valid = 1), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_SETXATTR, .node = ro_root, .name = STR("ro"), .xname = STR("user.a"),
			      .value = STR("x")), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_REMOVEXATTR, .node = ro_root, .name = STR("ro"), .xname = STR("user.a")), -EROFS);
	/* Between mounts: the read-only one may neither give nor take. */
	assert_int_equal(CALL(&rep, .op = FSD_RENAME, .node = root, .name = STR("ro"), .node2 = ro_root, .name2 = STR("x")), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_RENAME, .node = ro_root, .name = STR("ro"), .node2 = root, .name2 = STR("x")), -EROFS);
	assert_int_equal(CALL(&rep, .op = FSD_LINK, .node = ro_root, .name = STR("ro"), .node2 = root, .name2 = STR("x")), -EXDEV);
	assert_int_equal(take_fd(0), -EAGAIN);
}

static void test_hostile_names(void **state)
{
	static const char *const bad[] = {"..", ".", "a/b", "/etc", "", "../x"};
	struct fsd_reply rep;
	char long_name[300];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(CALL(&rep, .op = FSD_WALK, .node = root, .names = {STR(bad[i])}, .name_count = 1), -EPROTO);
		assert_int_equal(CALL(&rep, .op = FSD_CREATE, .node = root, .name = STR(bad[i])), -EPROTO);
		if (*bad[i])
			assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = root, .name = STR(bad[i])), -EPROTO);
		assert_int_equal(CALL(&rep, .op = FSD_RENAME, .node = root, .name = STR("ro"), .node2 = root,
				      .name2 = STR(bad[i])), -EPROTO);
	}
	assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = root, .name = {"a\0b", 3}), -EPROTO);
	memset(long_name, 'a', sizeof(long_name));
	assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = root, .name = {long_name, 256}), -EPROTO);
	for (uint64_t id = 100000, i = 0; i < 60; i++, id *= 37)
		assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = id | 1ull << 40, .name = STR("ro")), -ESTALE);
	assert_int_equal(CALL(&rep, .op = FSD_OPEN, .node = 0, .name = STR("ro")), -ESTALE);
	assert_int_equal(CALL(&rep, .op = FSD_RENAME, .node = root, .name = STR("ro"), .node2 = root,
			      .name2 = STR("z"), .flags = 4), -EINVAL);
}

static atomic_bool stop;
static void *swapper(void *arg)
{
	/* "v" is a directory of ours, then a symbolic link out of the mount, and so on. */
	while (!atomic_load(&stop)) {
		renameat2(AT_FDCWD, in_dir("v"), AT_FDCWD, in_dir("w"), RENAME_EXCHANGE);
	}
	return NULL;
}

static void test_races(void **state)
{
	struct fsd_reply rep;
	pthread_t th;
	char a[512], b[512];

	snprintf(a, sizeof(a), "%s/v", dir);
	snprintf(b, sizeof(b), "%s/w", dir);
	assert_int_equal(mkdir(a, 0755), 0);
	assert_int_equal(symlink("/etc", b), 0);
	close(open(in_dir("v/inside"), O_CREAT | O_WRONLY, 0644));
	pthread_create(&th, NULL, swapper, NULL);
	for (int i = 0; i < 5000; i++) {
		int ret = CALL(&rep, .op = FSD_WALK, .node = root, .names = {STR("v"), STR("passwd")}, .name_count = 2);

		assert_true(ret < 0 || rep.walked_count < 2);
		ret = CALL(&rep, .op = FSD_READDIR, .node = root, .name = STR("v"), .size = 65536);
		assert_true(ret == 0 || ret == -ENOTDIR || ret == -ELOOP || ret == -ESTALE);
		if (ret == 0) {
			struct fsd_dir_reader r;
			struct fsd_dirent e;

			fsd_dir_open(&r, reply_buf, sizeof(reply_buf));
			while (r.count && fsd_dir_next(&r, &e) == 1)
				assert_memory_equal(e.name.data, "inside", 6);
		}
		ret = CALL(&rep, .op = FSD_CREATE, .node = root, .name = STR("v"), .mode = 0644);
		assert_int_equal(ret, -EEXIST);
	}
	atomic_store(&stop, true);
	pthread_join(th, NULL);
}

/* Every message cut short, and with each byte changed, is refused or answered, never obeyed blindly. */
static void test_mutations(void **state)
{
	struct fsd_req q = {.op = FSD_SETATTR, .id = 7, .node = ro_root, .name = STR("ro"), .valid = 63,
			    .mtime = {5, 6}};
	uint8_t msg[256];
	long n = fsd_req_encode(&q, msg, sizeof(msg));
	struct fsd_reply rep;
	struct fsd_req out;

	for (long cut = 0; cut < n; cut++)
		assert_int_equal(fsd_req_decode(&out, msg, (size_t)cut), -EPROTO);
	for (long i = 1; i < n; i++) {
		for (int v = 0; v < 256; v += 5) {
			uint8_t save = msg[i];

			msg[i] = (uint8_t)v;
			if (fsd_req_decode(&out, msg, (size_t)n) == 0 && out.op != FSD_FORGET)
				raw_call(msg, (size_t)n, &rep);
			msg[i] = save;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_create_open_unlink),
	    cmocka_unit_test(test_open_nameless), cmocka_unit_test(test_directories),
	    cmocka_unit_test(test_readdir),	    cmocka_unit_test(test_links_and_nodes),
	    cmocka_unit_test(test_pool),		 cmocka_unit_test(test_read_only),	  cmocka_unit_test(test_hostile_names),
	    cmocka_unit_test(test_races),	      cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests_name("fsd", tests, setup, teardown);
}
