/* Netlink sockets themselves: names, options, peeking, truncation, errors. */
#include "nl.h"

static unsigned name(int s, struct sockaddr_nl *a)
{
	socklen_t size = sizeof(*a);

	memset(a, 0xee, sizeof(*a));
	MUST(getsockname(s, (struct sockaddr *)a, &size));
	return size;
}

static void option(int s, int opt)
{
	int v = -1;
	socklen_t size = sizeof(v);
	int r = getsockopt(s, SOL_NETLINK, opt, &v, &size);

	printf("option %d: %s %d %u\n", opt, r < 0 ? strerrorname_np(errno) : "ok", v, size);
}

int main(void)
{
	const struct ifinfomsg one = {.ifi_index = 1};
	struct sockaddr_nl a = {.nl_family = AF_NETLINK}, b;
	struct iovec iov = {answer, 8};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_name = &b, .msg_namelen = sizeof(b)};
	int s = (int)MUST(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)), t = (int)MUST(socket(AF_NETLINK, SOCK_DGRAM, 0)), v = 1;
	ssize_t n;
	uint32_t groups[2] = {0, 0};
	socklen_t size;

	SAY(socket(AF_NETLINK, SOCK_STREAM, 0));
	SAY(socket(AF_NETLINK, SOCK_RAW, 99));
	printf("unbound %u family %d pid %u groups %u\n", name(s, &b), b.nl_family, b.nl_pid, b.nl_groups);
	SAY(bind(s, (struct sockaddr *)&a, sizeof(a)));
	name(s, &b);
	printf("first: own pid %d\n", b.nl_pid == (uint32_t)getpid());
	SAY(bind(t, (struct sockaddr *)&a, sizeof(a)));
	name(t, &b);
	printf("second: own pid %d, some %d\n", b.nl_pid == (uint32_t)getpid(), b.nl_pid != 0);
	a.nl_pid = (uint32_t)getpid();
	SAY(bind(t, (struct sockaddr *)&a, sizeof(a)));
	SAY(bind(s, (struct sockaddr *)&a, 4));
	SAY(recv(s, answer, sizeof(answer), MSG_DONTWAIT));
	rq_begin(RTM_GETLINK, 0, &one, sizeof(one));
	n = MUST(send(s, &rq, rq.h.nlmsg_len, 0));
	printf("sent %zd\n", n);
	n = recv(s, NULL, 0, MSG_PEEK | MSG_TRUNC);
	printf("whole size by peek: %d\n", n > 100);
	printf("short read: %zd of it, ", recvmsg(s, &m, MSG_PEEK));
	printf("truncated %d, from %u groups %u\n", !!(m.msg_flags & MSG_TRUNC), b.nl_pid, b.nl_groups);
	printf("all at once: %d\n", recv(s, answer, sizeof(answer), 0) == n);
	SAY(recv(s, answer, sizeof(answer), MSG_DONTWAIT));
	SAY(setsockopt(s, SOL_NETLINK, NETLINK_EXT_ACK, &v, sizeof(v)));
	SAY(setsockopt(s, SOL_NETLINK, NETLINK_CAP_ACK, &v, sizeof(v)));
	SAY(setsockopt(s, SOL_NETLINK, 77, &v, sizeof(v)));
	option(s, NETLINK_EXT_ACK);
	option(s, NETLINK_CAP_ACK);
	option(s, NETLINK_PKTINFO);
	option(s, 77);
	v = RTNLGRP_LINK;
	SAY(setsockopt(s, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &v, sizeof(v)));
	v = RTNLGRP_IPV4_ROUTE;
	SAY(setsockopt(s, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &v, sizeof(v)));
	v = 0;
	SAY(setsockopt(s, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &v, sizeof(v)));
	size = sizeof(groups);
	getsockopt(s, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, groups, &size);
	printf("member of %x\n", groups[0]);
	name(s, &b);
	printf("by name %x\n", b.nl_groups);
	SAY(listen(s, 1));
	SAY(shutdown(s, SHUT_RDWR));
	rq_begin(RTM_GETLINK, 0, &one, sizeof(one));
	a.nl_family = AF_INET;
	SAY(sendto(s, &rq, rq.h.nlmsg_len, 0, (struct sockaddr *)&a, sizeof(a)));
	rq.h.nlmsg_type = 250;
	rq.h.nlmsg_flags |= NLM_F_ACK;
	MUST(send(s, &rq, rq.h.nlmsg_len, 0));
	n = recv(s, answer, sizeof(answer), 0);
	printf("capped refusal: %zd\n", n);
	return 0;
}
