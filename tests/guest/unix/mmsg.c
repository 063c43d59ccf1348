/* sendmmsg, recvmmsg, iovecs, and errors of message headers. */
#include "../say.h"
#include <limits.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
int main(void)
{
	struct mmsghdr mm[4] = {0};
	struct iovec iov[4][2];
	char buf[4][16];
	struct timespec ts = {0, 30000000};
	int s[2], n;
	static struct iovec many[1100];
	struct msghdr m = {0};

	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	for (int i = 0; i < 4; i++) {
		snprintf(buf[i], 16, "message%d", i);
		iov[i][0] = (struct iovec){buf[i], 3};
		iov[i][1] = (struct iovec){buf[i] + 3, 5 - (size_t)i};
		mm[i].msg_hdr.msg_iov = iov[i];
		mm[i].msg_hdr.msg_iovlen = 2;
	}
	SAY(sendmmsg(s[0], mm, 3, 0));
	printf("%u %u %u\n", mm[0].msg_len, mm[1].msg_len, mm[2].msg_len);
	for (int i = 0; i < 4; i++) {
		iov[i][0] = (struct iovec){buf[i], 1};
		iov[i][1] = (struct iovec){buf[i] + 1, 6};
		mm[i].msg_len = 99;
	}
	SAY(n = recvmmsg(s[1], mm, 4, MSG_WAITFORONE, NULL));
	for (int i = 0; i < 4; i++)
		printf("%u %x %.*s\n", mm[i].msg_len, mm[i].msg_hdr.msg_flags, i < n ? (int)mm[i].msg_len : 0, buf[i]);
	SAY(recvmmsg(s[1], mm, 4, MSG_DONTWAIT, NULL));
	MUST(send(s[0], "x", 1, 0));
	setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){0, 40000}, sizeof(struct timeval));
	SAY(recvmmsg(s[1], mm, 4, 0, &ts));
	ts.tv_nsec = -1;
	SAY(recvmmsg(s[1], mm, 4, 0, &ts));
	SAY(sendmmsg(s[0], mm, 0, 0));
	SAY(writev(s[0], iov[0], 2));
	SAY(readv(s[1], iov[1], 2));
	for (int i = 0; i < 1100; i++)
		many[i] = (struct iovec){buf[0], 1};
	m.msg_iov = many;
	m.msg_iovlen = 1100;
	SAY(sendmsg(s[0], &m, 0));
	m.msg_iovlen = 1024;
	SAY(sendmsg(s[0], &m, 0));
	m.msg_name = buf;
	m.msg_namelen = (socklen_t)-1;
	SAY(sendmsg(s[0], &m, 0));
	m.msg_namelen = 1;
	SAY(sendmsg(s[0], &m, 0));
	m.msg_name = NULL;
	m.msg_namelen = 500;
	m.msg_iovlen = 1;
	SAY(sendmsg(s[0], &m, 0));
	SAY(sendmsg(s[0], BAD, 0));
	m.msg_iov = BAD;
	SAY(sendmsg(s[0], &m, 0));
	m.msg_iov = many;
	m.msg_control = buf;
	m.msg_controllen = 1 << 30;
	SAY(sendmsg(s[0], &m, 0));
	struct cmsghdr h = {.cmsg_len = 3, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	m.msg_control = &h;
	m.msg_controllen = sizeof(h);
	SAY(sendmsg(s[0], &m, 0));
	h.cmsg_len = 100;
	SAY(sendmsg(s[0], &m, 0));
	h.cmsg_len = sizeof(h);
	h.cmsg_type = 77;
	SAY(sendmsg(s[0], &m, 0));
	h.cmsg_level = 7;
	SAY(sendmsg(s[0], &m, 0));
	return 0;
}
