/* sendmmsg and recvmmsg, SO_REUSEPORT, errors over the error queue, a socket bound to the wildcard. */
#include "net.h"
#include <linux/errqueue.h>

int main(void)
{
	struct sockaddr_in a = v4("127.0.0.1", 0), any = v4("0.0.0.0", 0);
	struct mmsghdr m[4] = {0};
	struct iovec iov[4];
	char buf[4][16];
	int r = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0)), s = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0)), x, y;
	struct timespec ts = {0, 50000000};

	MUST(bind(r, (void *)&any, sizeof(any)));
	a.sin_port = htons((uint16_t)port_of(r));
	for (int i = 0; i < 4; i++) {
		iov[i] = (struct iovec){buf[i], (size_t)sprintf(buf[i], "message %d", i) - (size_t)(i == 2)};
		m[i].msg_hdr = (struct msghdr){.msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = &iov[i], .msg_iovlen = 1};
	}
	SAY(sendmmsg(s, m, 4, 0));
	printf("%u %u %u %u\n", m[0].msg_len, m[1].msg_len, m[2].msg_len, m[3].msg_len);
	memset(buf, 0, sizeof(buf));
	for (int i = 0; i < 4; i++) {
		iov[i].iov_len = 16;
		m[i].msg_hdr.msg_name = NULL;
	}
	SAY(recvmmsg(r, m, 3, 0, NULL));
	printf("%s %u\n", buf[2], m[2].msg_len);
	SAY(recvmmsg(r, m, 4, MSG_WAITFORONE, NULL));
	SAY(recvmmsg(r, m, 4, MSG_DONTWAIT, &ts));
	close(r);
	SAY(set_int(s, SOL_IP, IP_RECVERR, 1));
	SAY(sendto(s, "gone", 4, 0, (void *)&a, sizeof(a)));
	wait_poll("error", s, POLLERR);
	{
		char control[256];
		struct sockaddr_in name;
		struct msghdr e = {.msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = iov, .msg_iovlen = 1,
				   .msg_control = control, .msg_controllen = sizeof(control)};
		struct cmsghdr *c;

		SAY(recvmsg(s, &e, MSG_ERRQUEUE));
		c = CMSG_FIRSTHDR(&e);
		if (c) {
			struct sock_extended_err *ee = (void *)CMSG_DATA(c);
			struct sockaddr_in *off = (void *)SO_EE_OFFENDER(ee);

			printf("flags %x level %d type %d: errno %u origin %u type %u code %u offender %s to %s %s\n", e.msg_flags,
			       c->cmsg_level, c->cmsg_type, ee->ee_errno, ee->ee_origin, ee->ee_type, ee->ee_code,
			       inet_ntoa(off->sin_addr), name.sin_port == a.sin_port ? "its port" : "no port",
			       strndup(buf[0], 4));
		}
		SAY(recvmsg(s, &e, MSG_ERRQUEUE));
	}
	SAY(get_int(s, SOL_SOCKET, SO_ERROR) != -12345);
	x = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	y = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	SAY(set_int(x, SOL_SOCKET, SO_REUSEPORT, 1));
	SAY(bind(x, (void *)&any, sizeof(any)));
	a.sin_port = htons((uint16_t)port_of(x));
	SAY(bind(y, (void *)&a, sizeof(a)));
	SAY(set_int(y, SOL_SOCKET, SO_REUSEPORT, 1));
	SAY(bind(y, (void *)&a, sizeof(a)));
	SAY(sendto(s, "to the nearer one", 17, 0, (void *)&a, sizeof(a)));
	wait_poll("specific", y, POLLIN);
	show_poll("wildcard", x);
	return 0;
}
