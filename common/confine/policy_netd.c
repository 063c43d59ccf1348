/* netd: the network stack on one link descriptor that it was handed. */
#include <sys/prctl.h>
#include "common/confine/policy_base.h"

static const struct confine_call calls[] = {
	POLICY_BASE,
	CALL(sendto, "questions to the host's name server"),
	CALL(recvfrom, "answers of the host's name server"),
	CALL(recvmmsg, "frames of the link, many at once"),
	CALL(sendmmsg, "frames to the link, many at once"),
	CALL(readv, "frames of a TAP"),
	CALL(writev, "frames to a TAP"),
	CALL(ppoll, "its loop: sysd's wake-up and the links, until the next timer"),
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
