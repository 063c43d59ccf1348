/* Descriptor passing: tickets find their descriptor in any order, and a bad message costs nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common/ipc/fdpass.h"

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int setup(void **state)
{
	static int s[3];

	s[2] = count_fds();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	int *s = *state;

	close(s[0]);
	close(s[1]);
	assert_int_equal(count_fds(), s[2]);
	return 0;
}

static void any_order(void **state)
{
	int *s = *state, null = open("/dev/null", O_RDONLY | O_CLOEXEC), zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct fdpass_inbox in;
	struct stat want, got;
	int fd;

	assert_int_equal(fdpass_send(s[0], 1, null), 0);
	assert_int_equal(fdpass_send(s[0], UINT64_MAX, zero), 0);
	fdpass_inbox_init(&in, s[1]);
	fd = fdpass_inbox_take(&in, UINT64_MAX, 1000);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	fstat(fd, &got);
	fstat(zero, &want);
	assert_int_equal(got.st_rdev, want.st_rdev);
	close(fd);
	assert_int_equal(fdpass_inbox_take(&in, 5, 0), -ETIMEDOUT);
	assert_int_equal(fdpass_inbox_take(&in, 5, 20), -ETIMEDOUT);
	fd = fdpass_inbox_take(&in, 1, 0);
	assert_true(fd >= 0);
	close(fd);
	/* what nobody takes is closed with the inbox */
	assert_int_equal(fdpass_send(s[0], 9, null), 0);
	assert_int_equal(fdpass_inbox_take(&in, 5, 0), -ETIMEDOUT);
	fdpass_inbox_done(&in);
	close(null);
	close(zero);
}

static void bad_messages(void **state)
{
	int *s = *state;
	uint64_t ticket = 77;
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(3 * sizeof(int))];
	} control;
	struct iovec iov = {&ticket, sizeof(ticket)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int three[3] = {0, 1, 2};

	assert_int_equal(fdpass_recv(s[1], MSG_DONTWAIT, &ticket), -EAGAIN);
	assert_int_equal(send(s[0], &ticket, 8, 0), 8); /* no descriptor */
	assert_int_equal(fdpass_recv(s[1], 0, &ticket), -EPROTO);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(three));
	memcpy(CMSG_DATA(c), three, sizeof(three));
	assert_int_equal(sendmsg(s[0], &msg, 0), 8);
	assert_int_equal(fdpass_recv(s[1], 0, &ticket), -EPROTO);
	assert_int_equal(ticket, 77);
	shutdown(s[0], SHUT_WR);
	assert_int_equal(fdpass_recv(s[1], 0, &ticket), -EPIPE);
}

static void full_socket(void **state)
{
	int *s = *state, r = 0;

	for (int i = 0; i < 100000 && r == 0; i++)
		r = fdpass_send(s[0], 1, 0);
	assert_int_equal(r, -EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(full_socket, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
