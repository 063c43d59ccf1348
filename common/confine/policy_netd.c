/* netd: the network stack on one link descriptor that it was handed. */
#include <sys/prctl.h>
#include "common/confine/policy_base.h"

static const struct confine_call calls[] = {
	POLICY_BASE,
	CALL(recvmsg, "descriptors from sysd and the launcher"),
	CALL(sendmsg, "descriptors to sysd"),
	CALL(sendto, "wake-ups of sysd; questions to the host's name server"),
	CALL(recvfrom, "answers of the host's name server"),
	CALL(recvmmsg, "frames of the link, many at once"),
	CALL(sendmmsg, "frames to the link, many at once"),
	CALL(readv, "frames of a TAP"),
	CALL(writev, "frames to a TAP"),
	CALL(poll, "its loop"),
	CALL(ppoll, "its loop"),
	CALL(futex_waitv, "its loop"),
	CALL(epoll_create1, "its loop"),
	CALL(epoll_ctl, "its loop"),
	CALL(epoll_wait, "its loop"),
	CALL(epoll_pwait, "its loop"),
	CALL(eventfd2, "its loop"),
	CALL(timerfd_create, "its loop"),
	CALL(timerfd_settime, "its loop"),
	CALL(memfd_create, "rings of sockets"),
	CALL(ftruncate, "rings of sockets"),
	CALL(fcntl, "seals and flags of its own descriptors"),
	CALL(fstat, "what a descriptor is"),
	CALL(newfstatat, "fstat of the C library (AT_EMPTY_PATH)"),
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
