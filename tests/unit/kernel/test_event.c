/* Pipes, poll, epoll, eventfd, UNIX sockets and splice through their system calls. */
#include "tests/unit/kernel/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "services/sysd/core/clock.h"
#include "services/sysd/task/cred.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/fs/pipe/pipe.h"
#include "services/sysd/net/unix/unix.h"

SYS_HANDLER(pipe2);
SYS_HANDLER(poll);
SYS_HANDLER(epoll_create1);
SYS_HANDLER(epoll_ctl);
SYS_HANDLER(epoll_wait);
SYS_HANDLER(eventfd2);
SYS_HANDLER(socket);
SYS_HANDLER(socketpair);
SYS_HANDLER(bind);
SYS_HANDLER(connect);
SYS_HANDLER(listen);
SYS_HANDLER(accept4);
SYS_HANDLER(sendto);
SYS_HANDLER(recvfrom);
SYS_HANDLER(sendmsg);
SYS_HANDLER(recvmsg);
SYS_HANDLER(tee);
SYS_HANDLER(splice);

static struct fdtable *files;
static struct signal group;
static struct cred cred = {.refs = 1000};
static struct nsproxy ns = {.refs = 1};

static void equip(struct task *t)
{
	if (!files) {
		files = fdtable_new();
		for (int i = 0; i < RLIM_NLIMITS; i++)
			group.rlim[i].rlim_cur = group.rlim[i].rlim_max = 1024;
		list_init(&group.threads);
		list_init(&group.shared_pending.queue);
		group.pid = 1;
		ns.net = net_ns_new();
	}
	t->files = files;
	t->signal = &group;
	t->cred = &cred;
	t->ns = &ns;
}

static ssize_t rd(struct task *t, int fd, void *buf, size_t n)
{
	struct file *f = fd_get(t, fd);
	struct uio u;
	ssize_t ret;

	uio_init_user(&u, t, U(buf), n);
	ret = f->op->read(f, &u, NULL);
	file_unref(f);
	return ret;
}

static ssize_t wr(struct task *t, int fd, const void *buf, size_t n)
{
	struct file *f = fd_get(t, fd);
	struct uio u;
	ssize_t ret;

	uio_init_user(&u, t, U(buf), n);
	ret = f->op->write(f, &u, NULL);
	file_unref(f);
	return ret;
}

static char big[300000], back[300000];
static int p[2], q[2];

static void pipe_writer(struct task *t, void *arg)
{
	equip(t);
	assert_int_equal(wr(t, p[1], big, sizeof(big)), sizeof(big));
	fd_close(t, p[1]);
}

static void pipe_reader(struct task *t, void *arg)
{
	size_t done = 0;
	ssize_t n;

	equip(t);
	assert_int_equal(ktest_sys(t, sys_pipe2, U(p), 0), 0);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 4096);
	ktest_spawn(pipe_writer, NULL);
	while ((n = rd(t, p[0], back + done, 5000)) > 0)
		done += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(done, sizeof(big));
	assert_memory_equal(big, back, sizeof(big));
	fd_close(t, p[0]);
}

static void test_pipe(void **state)
{
	ktest_call(pipe_reader, NULL);
}

static void late_write(struct task *t, void *arg)
{
	equip(t);
	sched_yield_strand();
	assert_int_equal(wr(t, p[1], "x", 1), 1);
}

static void polls(struct task *t, void *arg)
{
	struct pollfd fds[2];
	char c;

	equip(t);
	assert_int_equal(ktest_sys(t, sys_pipe2, U(p), 0), 0);
	fds[0] = (struct pollfd){p[0], POLLIN, 0};
	fds[1] = (struct pollfd){77, POLLIN, 0};
	assert_int_equal(ktest_sys(t, sys_poll, U(fds), 1, 0), 0);
	assert_int_equal(ktest_sys(t, sys_poll, U(fds), 2, 0), 1);
	assert_int_equal(fds[1].revents, POLLNVAL);
	ktest_spawn(late_write, NULL);
	assert_int_equal(ktest_sys(t, sys_poll, U(fds), 1, -1ull), 1);
	assert_int_equal(fds[0].revents, POLLIN);
	assert_int_equal(rd(t, p[0], &c, 1), 1);
	assert_int_equal(ktest_sys(t, sys_poll, U(fds), 1, 10), 0);
	fd_close(t, p[1]);
	assert_int_equal(ktest_sys(t, sys_poll, U(fds), 1, 10), 1);
	assert_int_equal(fds[0].revents, POLLHUP);
	fd_close(t, p[0]);
}

static void test_poll(void **state)
{
	ktest_call(polls, NULL);
}

static void epolls(struct task *t, void *arg)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = 5}, ev[4];
	int ep, evfd;
	uint64_t v = 1;

	equip(t);
	ep = (int)ktest_sys(t, sys_epoll_create1, 0);
	assert_true(ep >= 0);
	assert_int_equal(ktest_sys(t, sys_pipe2, U(p), O_NONBLOCK), 0);
	evfd = (int)ktest_sys(t, sys_eventfd2, 0, 0);
	assert_int_equal(ktest_sys(t, sys_epoll_ctl, ep, EPOLL_CTL_ADD, p[0], U(&e)), 0);
	e.data.u64 = 6;
	assert_int_equal(ktest_sys(t, sys_epoll_ctl, ep, EPOLL_CTL_ADD, evfd, U(&e)), 0);
	assert_int_equal(ktest_sys(t, sys_epoll_wait, ep, U(ev), 4, 0), 0);
	ktest_spawn(late_write, NULL);
	assert_int_equal(ktest_sys(t, sys_epoll_wait, ep, U(ev), 4, -1ull), 1);
	assert_int_equal(ev[0].data.u64, 5);
	assert_int_equal(wr(t, evfd, &v, 8), 8);
	assert_int_equal(ktest_sys(t, sys_epoll_wait, ep, U(ev), 4, 0), 2);
	fd_close(t, p[0]); /* leaves the set while it is ready */
	assert_int_equal(ktest_sys(t, sys_epoll_wait, ep, U(ev), 4, 0), 1);
	assert_int_equal(ev[0].data.u64, 6);
	fd_close(t, ep); /* the set goes first, the file after it */
	fd_close(t, evfd);
	fd_close(t, p[1]);
}

static void test_epoll(void **state)
{
	ktest_call(epolls, NULL);
}

static struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0abc"};
#define NAME_SIZE 6

static void connects(struct task *t, void *arg)
{
	int fd;

	equip(t);
	fd = (int)ktest_sys(t, sys_socket, AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(ktest_sys(t, sys_connect, fd, U(&name), NAME_SIZE), 0);
	assert_int_equal(wr(t, fd, big, 200000), 200000);
	fd_close(t, fd);
}

static void listens(struct task *t, void *arg)
{
	int l, c;
	size_t done = 0;
	ssize_t n;

	equip(t);
	l = (int)ktest_sys(t, sys_socket, AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(ktest_sys(t, sys_connect, l, U(&name), NAME_SIZE), -ECONNREFUSED);
	assert_int_equal(ktest_sys(t, sys_bind, l, U(&name), NAME_SIZE), 0);
	assert_int_equal(ktest_sys(t, sys_listen, l, 5), 0);
	ktest_spawn(connects, NULL);
	c = (int)ktest_sys(t, sys_accept4, l, 0, 0, 0);
	assert_true(c >= 0);
	while ((n = rd(t, c, back + done, 7000)) > 0)
		done += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(done, 200000);
	assert_memory_equal(big, back, done);
	fd_close(t, c);
	fd_close(t, l);
}

static void test_unix_stream(void **state)
{
	ktest_call(listens, NULL);
}

static int send_fd(struct task *t, int via, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr h;
	} c;
	struct iovec iov = {"x", 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.buf, .msg_controllen = sizeof(c.buf)};

	c.h = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
	return (int)ktest_sys(t, sys_sendmsg, via, U(&m), 0);
}

static int recv_fd(struct task *t, int via)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr h;
	} c;
	char b;
	struct iovec iov = {&b, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.buf, .msg_controllen = sizeof(c.buf)};
	int fd;

	assert_int_equal(ktest_sys(t, sys_recvmsg, via, U(&m), 0), 1);
	assert_int_equal(c.h.cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(&c.h), sizeof(fd));
	return fd;
}

static void passes(struct task *t, void *arg)
{
	int s[2], fd;
	char c[4];

	equip(t);
	assert_int_equal(ktest_sys(t, sys_socketpair, AF_UNIX, SOCK_STREAM, 0, U(s)), 0);
	assert_int_equal(ktest_sys(t, sys_pipe2, U(p), 0), 0);
	assert_int_equal(send_fd(t, s[0], p[0]), 1);
	fd_close(t, p[0]);
	fd = recv_fd(t, s[1]);
	assert_int_equal(wr(t, p[1], "hey", 3), 3);
	assert_int_equal(rd(t, fd, c, 4), 3);
	fd_close(t, fd);
	/* what nobody received is closed with the socket */
	assert_int_equal(send_fd(t, s[0], p[1]), 1);
	fd_close(t, p[1]);
	fd_close(t, s[1]);
	fd_close(t, s[0]);
}

static void test_rights(void **state)
{
	ktest_call(passes, NULL);
}

/* Two sockets in each other's queues, with a pipe in one of them: its reader learns of the end. */
static void circles(struct task *t, void *arg)
{
	int s[2], r[2];
	char c;

	equip(t);
	assert_int_equal(ktest_sys(t, sys_socketpair, AF_UNIX, SOCK_DGRAM, 0, U(s)), 0);
	assert_int_equal(ktest_sys(t, sys_socketpair, AF_UNIX, SOCK_STREAM, 0, U(r)), 0);
	assert_int_equal(ktest_sys(t, sys_pipe2, U(p), O_NONBLOCK), 0);
	assert_int_equal(send_fd(t, s[0], s[0]), 1);
	assert_int_equal(send_fd(t, s[0], s[1]), 1);
	assert_int_equal(send_fd(t, s[1], p[1]), 1);
	assert_int_equal(send_fd(t, s[1], s[1]), 1);
	fd_close(t, p[1]);
	assert_int_equal(rd(t, p[0], &c, 1), -EAGAIN);
	fd_close(t, s[0]);
	assert_int_equal(rd(t, p[0], &c, 1), -EAGAIN);
	fd_close(t, s[1]);
	unix_gc(); /* runs when any UNIX socket ends */
	assert_int_equal(rd(t, p[0], &c, 1), 0);
	/* held from outside: stays */
	assert_int_equal(send_fd(t, r[0], r[0]), 1);
	fd_close(t, r[0]);
	unix_gc();
	r[0] = recv_fd(t, r[1]);
	assert_int_equal(wr(t, r[0], "x", 1), 1);
	assert_int_equal(rd(t, r[1], &c, 1), 1);
	fd_close(t, r[0]);
	fd_close(t, r[1]);
	fd_close(t, p[0]);
}

static void test_circles(void **state)
{
	ktest_call(circles, NULL);
}

/* Sockets in sockets in sockets: closing the outermost must not recurse that deep. */
static void nests(struct task *t, void *arg)
{
	int outer[2], inner[2];

	equip(t);
	assert_int_equal(ktest_sys(t, sys_socketpair, AF_UNIX, SOCK_DGRAM, 0, U(outer)), 0);
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(ktest_sys(t, sys_socketpair, AF_UNIX, SOCK_DGRAM, 0, U(inner)), 0);
		group.rlim[RLIMIT_NOFILE].rlim_cur = 1 << 20;
		assert_int_equal(send_fd(t, inner[0], outer[0]), 1);
		assert_int_equal(send_fd(t, inner[0], outer[1]), 1);
		group.rlim[RLIMIT_NOFILE].rlim_cur = 1024;
		fd_close(t, outer[0]);
		fd_close(t, outer[1]);
		outer[0] = inner[0];
		outer[1] = inner[1];
		if (i > 300) /* the collector looks at all that fly at each close */
			break;
	}
	fd_close(t, outer[0]);
	fd_close(t, outer[1]);
}

static void test_nesting(void **state)
{
	ktest_call(nests, NULL);
}

static void splices(struct task *t, void *arg)
{
	char c[32];

	equip(t);
	assert_int_equal(ktest_sys(t, sys_pipe2, U(p), O_NONBLOCK), 0);
	assert_int_equal(ktest_sys(t, sys_pipe2, U(q), O_NONBLOCK), 0);
	assert_int_equal(wr(t, p[1], "abcdef", 6), 6);
	assert_int_equal(ktest_sys(t, sys_tee, p[0], q[1], 4, 0), 4);
	assert_int_equal(wr(t, q[1], "!", 1), 1);
	assert_int_equal(rd(t, q[0], c, 32), 5);
	assert_memory_equal(c, "abcd!", 5);
	assert_int_equal(ktest_sys(t, sys_splice, p[0], 0, q[1], 0, 2, 0), 2);
	assert_int_equal(wr(t, p[1], "gh", 2), 2);
	assert_int_equal(ktest_sys(t, sys_splice, p[0], 0, q[1], 0, 100, 0), 6);
	assert_int_equal(ktest_sys(t, sys_splice, p[0], 0, q[1], 0, 100, 0), -EAGAIN);
	assert_int_equal(rd(t, q[0], c, 32), 8);
	assert_memory_equal(c, "abcdefgh", 8);
	for (int i = 0; i < 2; i++) {
		fd_close(t, p[i]);
		fd_close(t, q[i]);
	}
}

static void test_splice(void **state)
{
	ktest_call(splices, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pipe),    cmocka_unit_test(test_poll),
	    cmocka_unit_test(test_epoll),   cmocka_unit_test(test_unix_stream),
	    cmocka_unit_test(test_rights),  cmocka_unit_test(test_circles),
	    cmocka_unit_test(test_nesting), cmocka_unit_test(test_splice),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
