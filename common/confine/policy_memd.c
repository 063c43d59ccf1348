/* memd: address spaces and the supervisor of the guest processes. */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include "common/confine/policy_base.h"

static const struct confine_call calls[] = {
	POLICY_BASE,
	CALL(ioctl, "seccomp notifications: receive, answer, add a descriptor"),
	CALL(process_vm_readv, "arguments of a notification"),
	CALL(process_vm_writev, "set-up of a new guest process"),
	CALL(pidfd_open, "learning of a guest process's death"),
	CALL(pidfd_getfd, "the listener of the first guest process"),
	CALL(pidfd_send_signal, "ending a guest process"),
	CALL(kill, "ending a guest process"),
	CALL(waitid, "reaping guest processes"),
	CALL(wait4, "reaping guest processes"),
	CALL(recvmsg, "descriptors from sysd and the launcher"),
	CALL(sendmsg, "descriptors to sysd and the launcher"),
	CALL(poll, "its loop"),
	CALL(ppoll, "its loop"),
	CALL(epoll_create1, "its loop"),
	CALL(epoll_ctl, "its loop"),
	CALL(epoll_wait, "its loop"),
	CALL(epoll_pwait, "its loop"),
	CALL(signalfd4, "its loop: SIGCHLD"),
	CALL(eventfd2, "its loop"),
	CALL(timerfd_create, "its loop"),
	CALL(timerfd_settime, "its loop"),
	CALL(memfd_create, "slots and shared memory"),
	CALL(ftruncate, "size of shared memory"),
	CALL(fallocate, "holes in shared memory"),
	CALL(fcntl, "seals and flags of its own descriptors"),
	CALL(fstat, "what a descriptor is"),
	CALL(newfstatat, "fstat of the C library (AT_EMPTY_PATH)"),
	CALL(dup, "a descriptor that is handed on"),
	CALL(dup3, "a descriptor that is handed on"),
	CALL(openat, "files of /proc beneath the descriptor it was given; its root is empty"),
	CALL(readlinkat, "links of /proc beneath the descriptor it was given"),
	CALL(getdents64, "directories of /proc beneath the descriptor it was given"),
	CALL(pread64, "files of /proc"),
	CALL(pwrite64, "files of /proc"),
	CALL(lseek, "files of /proc"),
	CALL(prlimit64, "limits of the guest processes"),
	CALL(getrusage, "its own share in usage"),
	CALL(sched_getaffinity, "how many CPUs there are"),
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
