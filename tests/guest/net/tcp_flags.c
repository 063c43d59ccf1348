/* MSG_PEEK, MSG_WAITALL, MSG_TRUNC, MSG_DONTWAIT, MSG_MORE, SO_RCVLOWAT, SO_PEEK_OFF, FIONREAD, scattered buffers. */
#include "net.h"

static void run(int family)
{
	char a[8] = "", b[8] = "", buf[64];
	struct iovec v[2] = {{a, 3}, {b, 5}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
	int s[2], n;

	tcp_pair(family, s);
	SAY(send(s[0], "abcdef", 6, 0));
	SAY(recv(s[1], buf, 3, MSG_PEEK));
	SAY(recv(s[1], buf, sizeof(buf), MSG_PEEK));
	SAY(ioctl(s[1], FIONREAD, &n));
	printf("%d\n", n);
	SAY(recvmsg(s[1], &m, MSG_PEEK));
	printf("%.3s %.3s flags %x\n", a, b, m.msg_flags);
	SAY(recv(s[1], NULL, 2, MSG_TRUNC));
	SAY(recv(s[1], buf, 64, 0));
	printf("%.4s\n", buf);
	SAY(recv(s[1], buf, 64, MSG_DONTWAIT));
	if (!MUST(fork())) {
		usleep(20000);
		MUST(send(s[0], "123", 3, 0));
		usleep(20000);
		MUST(send(s[0], "456", 3, 0));
		usleep(20000);
		MUST(send(s[0], "7", 1, MSG_MORE));
		MUST(send(s[0], "89", 2, 0));
		_exit(0);
	}
	SAY(recv(s[1], buf, 6, MSG_WAITALL));
	printf("%.6s\n", buf);
	SAY(recv(s[1], buf, 3, MSG_WAITALL));
	wait(NULL);
	SAY(set_int(s[1], SOL_SOCKET, SO_RCVLOWAT, 4));
	SAY(send(s[0], "xy", 2, 0));
	show_poll("below the mark", s[1]);
	SAY(send(s[0], "zw", 2, 0));
	wait_poll("at the mark", s[1], POLLIN);
	SAY(set_int(s[1], SOL_SOCKET, SO_RCVLOWAT, 1));
	SAY(set_int(s[1], SOL_SOCKET, SO_PEEK_OFF, 1));
	SAY(recv(s[1], buf, 2, MSG_PEEK));
	printf("%.2s at %d\n", buf, get_int(s[1], SOL_SOCKET, SO_PEEK_OFF));
	SAY(recv(s[1], buf, 1, 0));
	printf("now at %d\n", get_int(s[1], SOL_SOCKET, SO_PEEK_OFF));
	SAY(set_int(s[1], SOL_SOCKET, SO_PEEK_OFF, -1));
	SAY(send(s[0], "", 0, 0));
	SAY(recv(s[1], buf, 0, 0));
	m.msg_name = buf;
	m.msg_namelen = 28;
	SAY(recvmsg(s[1], &m, 0));
	printf("name %u flags %x\n", m.msg_namelen, m.msg_flags);
	SAY(recv(s[1], BAD, 5, MSG_DONTWAIT));
	SAY(send(s[0], BAD, 5, 0));
	MUST(send(s[0], "last", 4, 0));
	close(s[0]);
	SAY(recv(s[1], buf, 64, MSG_WAITALL));
	SAY(recv(s[1], buf, 64, 0));
	SAY(recv(s[1], buf, 64, MSG_PEEK));
	close(s[1]);
}

int main(void)
{
	run(AF_INET);
	run(AF_INET6);
	return 0;
}
