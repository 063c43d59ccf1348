/* netd: the network stack on one link descriptor that it was handed. */
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include "common/confine/policy_base.h"

static const struct confine_call calls[] = {
	POLICY_BASE,
	CALL(sendto, "questions to the host's name server"),
	CALL(recvfrom, "answers of the host's name server; a look at the next frame"),
	CALL_ARG(connect, 2, LOW_BITS, sizeof(struct sockaddr_in), "a line to the host's name server, for a question over TCP"),
	CALL(shutdown, "the end of such a question; the guest's shutdown, with the host's sockets"),
	CALL(recvmmsg, "frames of the link, many at once"),
	CALL(sendmmsg, "frames to the link, many at once"),
	CALL(readv, "frames of a TAP"),
	CALL(writev, "frames to a TAP"),
	CALL(ppoll, "its loop: sysd's wake-up and the links, until the next timer"),
	{.nr = SYS_socket, .arg_count = 1, .args = {{0, LOW_BITS, AF_INET}}, .only = 3, .why = "the guest's sockets, in the host's kernel"},
	{.nr = SYS_socket, .arg_count = 1, .args = {{0, LOW_BITS, AF_INET6}}, .only = 3, .why = "the guest's sockets, in the host's kernel"},
	CALL_HOSTNET(bind, "the guest's bind"),
	CALL_HOSTNET(connect, "the guest's connect"),
	CALL_HOSTNET(listen, "the guest's listen"),
	CALL_HOSTNET(accept4, "connections to the guest"),
	CALL_HOSTNET(getsockname, "the name that the host's kernel chose"),
	CALL_HOSTNET(getpeername, "who a connection is from"),
	CALL_HOSTNET(setsockopt, "options of the guest's sockets, from a table"),
	CALL_HOSTNET(getsockopt, "errors of the guest's sockets, and options from a table"),
	CALL_HOSTNET(sendmsg, "what the guest sends"),
	CALL_HOSTNET(recvmsg, "datagrams to the guest"),
	CALL_HOSTNET(epoll_wait, "which of the guest's sockets have news"),
	CALL_HOSTNET(epoll_pwait, "the same, as some C libraries make it"),
	CALL_HOSTNET(epoll_ctl, "a new socket is watched"),
	CALL_ARG(prctl, 0, LOW_BITS, PR_SET_NAME, "names"),
	CALL_ARG(prctl, 0, LOW_BITS, PR_SET_VMA, "names of memory areas, by the C library"),
};

const struct confine_policy confine_netd = {
	.service = "netd",
	.calls = calls,
	.call_count = ARRAY_SIZE(calls),
	.namespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
	.nofile = 65536,
};
