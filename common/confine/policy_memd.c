/* memd: address spaces and the supervisor of the guest processes. */
#include <fcntl.h>
#include <linux/ioctl.h>
#include <linux/kcmp.h>
#include <linux/seccomp.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include "common/confine/policy_base.h"

static const struct confine_call calls[] = {
	POLICY_BASE,
	CALL_ARG(ioctl, 1, LOW_BITS, SECCOMP_IOCTL_NOTIF_RECV, "a call that a guest process wants to make"),
	CALL_ARG(ioctl, 1, LOW_BITS, SECCOMP_IOCTL_NOTIF_SEND, "the answer to it"),
	CALL_ARG(ioctl, 1, LOW_BITS, SECCOMP_IOCTL_NOTIF_ID_VALID, "does the caller still wait?"),
	CALL_ARG(ioctl, 1, LOW_BITS, SECCOMP_IOCTL_NOTIF_ADDFD, "lending a descriptor for a mapping"),
	CALL(kill, "ending a guest process"),
	CALL(waitid, "reaping guest processes"),
	CALL_ARG(kcmp, 2, LOW_BITS, KCMP_FILE, "does a forked child have the descriptor of its own slots?"),
	CALL(recvmsg, "descriptors from sysd and the launcher"),
	CALL(sendmsg, "descriptors to sysd and the launcher"),
	CALL(poll, "its loop"),
	CALL(memfd_create, "slots and shared memory"),
	CALL(ftruncate, "size of shared memory"),
	CALL(fcntl, "seals and flags of its own descriptors"),
	CALL(fstat, "what a descriptor is"),
	CALL(newfstatat, "fstat of the C library (AT_EMPTY_PATH)"),
	CALL(openat, "files of /proc beneath the descriptor it was given; its root is empty"),
	CALL(getdents64, "directories of /proc beneath the descriptor it was given"),
	CALL(lseek, "files of /proc"),
	CALL(prlimit64, "limits of the guest processes"),
	CALL_ARG(prctl, 0, LOW_BITS, PR_SET_NAME, "names"),
	CALL_ARG(prctl, 0, LOW_BITS, PR_SET_VMA, "names of memory areas, by the C library"),
	CALL(rt_sigaction, "the C library"),
};

const struct confine_policy confine_memd = {
	.service = "memd",
	.calls = calls,
	.call_count = ARRAY_SIZE(calls),
	.namespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS, /* user and pid: sysd's */
	.nofile = 1 << 20,
};
