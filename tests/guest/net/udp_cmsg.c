/* Control messages of datagrams: destination, TTL, TOS, time, and what is sent with them. */
#include "net.h"

static void show(int s)
{
	char buf[64], control[512];
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(s, &m, 0);

	printf("%zd bytes flags %x\n", n, m.msg_flags);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		printf("  level %d type %d size %zu", c->cmsg_level, c->cmsg_type, c->cmsg_len - CMSG_LEN(0));
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *p = (void *)CMSG_DATA(c);

			printf(" if %d", p->ipi_ifindex);
			printf(" dst %s", inet_ntoa(p->ipi_addr));
			printf(" spec %s", inet_ntoa(p->ipi_spec_dst));
		} else if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo *p = (void *)CMSG_DATA(c);
			char text[64];

			printf(" if %d dst %s", p->ipi6_ifindex, inet_ntop(AF_INET6, &p->ipi6_addr, text, 64));
		} else if (c->cmsg_level != SOL_SOCKET) {
			printf(" value %d", c->cmsg_len == CMSG_LEN(1) ? *CMSG_DATA(c) : *(int *)CMSG_DATA(c));
		}
		puts("");
	}
}

static ssize_t send_with(int s, const void *to, socklen_t tolen, int level, int type, const void *data, size_t size)
{
	char control[128] = "";
	struct iovec iov = {"text", 4};
	struct msghdr m = {.msg_name = (void *)to, .msg_namelen = tolen, .msg_iov = &iov, .msg_iovlen = 1,
			   .msg_control = control, .msg_controllen = CMSG_SPACE(size)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	return sendmsg(s, &m, 0);
}

int main(void)
{
	struct sockaddr_in a = v4("127.0.0.1", 0);
	struct sockaddr_in6 b = v6("::1", 0);
	struct in_pktinfo pi = {.ipi_ifindex = 1};
	int r = listener(AF_INET, SOCK_DGRAM), s = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0)), value;

	a.sin_port = htons((uint16_t)port_of(r));
	SAY(set_int(r, SOL_IP, IP_PKTINFO, 1));
	SAY(set_int(r, SOL_IP, IP_RECVTTL, 1));
	SAY(set_int(r, SOL_IP, IP_RECVTOS, 1));
	MUST(sendto(s, "x", 1, 0, (void *)&a, sizeof(a)));
	show(r);
	SAY(set_int(s, SOL_IP, IP_TTL, 7));
	SAY(set_int(s, SOL_IP, IP_TOS, 0x20));
	MUST(sendto(s, "x", 1, 0, (void *)&a, sizeof(a)));
	show(r);
	value = 9;
	SAY(send_with(s, &a, sizeof(a), SOL_IP, IP_TTL, &value, sizeof(value)));
	show(r);
	value = 0x40;
	SAY(send_with(s, &a, sizeof(a), SOL_IP, IP_TOS, &value, sizeof(value)));
	show(r);
	inet_pton(AF_INET, "127.0.0.9", &pi.ipi_spec_dst);
	SAY(send_with(s, &a, sizeof(a), SOL_IP, IP_PKTINFO, &pi, sizeof(pi)));
	{
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		char buf[8];

		SAY(recvfrom(r, buf, 8, 0, (void *)&from, &len));
		printf("from %s\n", inet_ntoa(from.sin_addr));
	}
	value = 300;
	SAY(send_with(s, &a, sizeof(a), SOL_IP, IP_TTL, &value, sizeof(value)));
	SAY(send_with(s, &a, sizeof(a), SOL_IP, 77, &value, sizeof(value)));
	SAY(set_int(r, SOL_IP, IP_PKTINFO, 0));
	SAY(set_int(r, SOL_IP, IP_RECVTTL, 0));
	SAY(set_int(r, SOL_IP, IP_RECVTOS, 0));
	SAY(set_int(r, SOL_SOCKET, SO_TIMESTAMP, 1));
	MUST(sendto(s, "x", 1, 0, (void *)&a, sizeof(a)));
	show(r);
	SAY(set_int(r, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	MUST(sendto(s, "x", 1, 0, (void *)&a, sizeof(a)));
	show(r);
	close(r);
	close(s);
	r = listener(AF_INET6, SOCK_DGRAM);
	s = (int)MUST(socket(AF_INET6, SOCK_DGRAM, 0));
	b.sin6_port = htons((uint16_t)port_of(r));
	SAY(set_int(r, SOL_IPV6, IPV6_RECVPKTINFO, 1));
	SAY(set_int(r, SOL_IPV6, IPV6_RECVHOPLIMIT, 1));
	SAY(set_int(r, SOL_IPV6, IPV6_RECVTCLASS, 1));
	MUST(sendto(s, "x", 1, 0, (void *)&b, sizeof(b)));
	show(r);
	value = 5;
	SAY(send_with(s, &b, sizeof(b), SOL_IPV6, IPV6_HOPLIMIT, &value, sizeof(value)));
	show(r);
	value = 0x10;
	SAY(send_with(s, &b, sizeof(b), SOL_IPV6, IPV6_TCLASS, &value, sizeof(value)));
	show(r);
	return 0;
}
