/* Stream sockets: pairs, shutdown, end of file, errors. */
#include "../say.h"
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(void)
{
	int s[2], n, l;
	char buf[64];
	struct iovec;

	signal(SIGPIPE, SIG_IGN);
	SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	SAY(send(s[0], "hello ", 6, 0));
	SAY(write(s[0], "world", 5));
	SAY(ioctl(s[1], FIONREAD, &n));
	printf("%d\n", n);
	SAY(recv(s[1], buf, 3, MSG_PEEK));
	SAY(recv(s[1], buf, 3, 0));
	SAY(recv(s[1], buf, 60, MSG_DONTWAIT));
	printf("%.8s\n", buf);
	SAY(recv(s[1], buf, 60, MSG_DONTWAIT));
	SAY(recv(s[1], buf, 0, MSG_DONTWAIT));
	SAY(send(s[1], "back", 4, MSG_NOSIGNAL));
	SAY(shutdown(s[0], 7));
	SAY(shutdown(s[0], SHUT_WR));
	SAY(read(s[1], buf, 9));
	SAY(write(s[0], "x", 1));
	SAY(write(s[1], "y", 1));
	SAY(read(s[0], buf, 9));
	SAY(send(s[0], "to", 2, MSG_DONTWAIT | MSG_OOB) < 0);
	close(s[0]);
	SAY(write(s[1], "z", 1));
	SAY(read(s[1], buf, 9));
	close(s[1]);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	MUST(write(s[0], "unread", 6));
	MUST(write(s[1], "unread", 6));
	close(s[0]);
	SAY(read(s[1], buf, 3));
	SAY(read(s[1], buf, 30));
	SAY(read(s[1], buf, 30));
	SAY(read(s[1], buf, 30));
	SAY(write(s[1], "x", 1));
	l = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	SAY(read(l, buf, 1));
	SAY(write(l, buf, 1));
	SAY(listen(l, 1));
	SAY(accept(l, NULL, NULL));
	SAY(shutdown(l, SHUT_RDWR));
	SAY(socket(AF_UNIX, SOCK_STREAM, 5));
	SAY(socket(AF_UNIX, SOCK_RDM, 0));
	SAY(socket(AF_UNIX, 77, 0));
	SAY(socket(99, SOCK_STREAM, 0));
	SAY(socket(-1, SOCK_STREAM, 0));
	SAY(socketpair(AF_UNIX, SOCK_STREAM, 3, s));
	SAY(recv(0, buf, 1, 0));
	SAY(recv(99, buf, 1, 0));
	l = (int)SAY_FD(socket(AF_UNIX, SOCK_RAW, 0));
	n = 0;
	getsockopt(l, SOL_SOCKET, SO_TYPE, &n, &(socklen_t){4});
	printf("%d\n", n);
	return 0;
}
