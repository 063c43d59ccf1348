/* Sequenced packets: messages over a connection. */
#include "../say.h"
#include <sys/socket.h>
#include <sys/un.h>
int main(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = 3 + snprintf(a.sun_path + 1, 100, "sbx-seq-%d", getpid());
	struct iovec iov;
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	char buf[32];
	int l, c, d, s[2];

	l = MUST(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	c = MUST(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	SAY(send(c, "x", 1, MSG_NOSIGNAL));
	SAY(recv(c, buf, 1, 0));
	SAY(connect(c, (void *)&a, len));
	MUST(bind(l, (void *)&a, len));
	SAY(connect(c, (void *)&a, len));
	MUST(listen(l, 2));
	SAY(connect(c, (void *)&a, len));
	d = MUST(accept4(l, NULL, NULL, SOCK_NONBLOCK));
	SAY(send(c, "first", 5, 0));
	SAY(write(c, "second one", 10));
	SAY(sendto(c, "third", 5, 0, (void *)&a, len));
	iov = (struct iovec){buf, 3};
	SAY(recvmsg(d, &m, 0));
	printf("flags %x\n", m.msg_flags & (MSG_TRUNC | MSG_EOR));
	iov.iov_len = 32;
	SAY(recvmsg(d, &m, MSG_PEEK));
	SAY(recvmsg(d, &m, 0));
	printf("flags %x\n", m.msg_flags & (MSG_TRUNC | MSG_EOR));
	SAY(read(d, buf, 32));
	SAY(recv(d, buf, 32, 0));
	close(c);
	SAY(recv(d, buf, 32, 0));
	SAY(send(d, "x", 1, MSG_NOSIGNAL));
	close(d);
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	MUST(write(s[0], "left", 4));
	MUST(write(s[1], "over", 4));
	close(s[0]);
	SAY(recv(s[1], buf, 32, 0));
	SAY(recv(s[1], buf, 32, 0));
	SAY(recv(s[1], buf, 32, 0));
	return 0;
}
