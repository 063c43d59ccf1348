/* fsd: the gofer. The only service that opens files by name, always beneath a mount source that it
 * was handed; the sources are detached mounts, so that ".." ends at their root. Its capabilities hold
 * in its own user namespace, which maps all ids, so that it is what root is towards those files and
 * nothing else. */
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include "common/confine/policy_base.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* Linux 6.6 */
#endif

#define CAP(c) (1ull << (c))

static const struct confine_call calls[] = {
	POLICY_BASE,
	CALL(mkdirat, "mkdir"),
	CALL(openat2, "every lookup: beneath the mount, no magic links; /proc/self/fd to open again what it holds"),
	CALL(fstat, "attributes"),
	CALL(newfstatat, "attributes"),
	CALL(statx, "attributes"),
	CALL(fstatfs, "statfs"),
	CALL(getdents64, "readdir"),
	CALL(lseek, "readdir positions, holes"),
	CALL(readlinkat, "symbolic links and its own descriptors"),
	CALL(mknodat, "mknod of FIFOs and sockets"),
	CALL(symlinkat, "symlink"),
	CALL(linkat, "link"),
	CALL(unlinkat, "unlink, rmdir"),
	CALL(renameat2, "rename with flags"),
	CALL(renameat, "what the C library makes of renameat2 without flags"),
	CALL(fchmod, "chmod"),
	CALL(fchmodat, "chmod"),
	{.nr = 452 /* fchmodat2 */, .why = "chmod of what it holds by O_PATH descriptors"},
	CALL(fchownat, "chown"),
	CALL(utimensat, "times"),
	CALL(ftruncate, "truncate"),
	CALL(fsync, "fsync"),
	CALL(fdatasync, "fdatasync"),
	CALL(syncfs, "syncfs"),
	CALL(fgetxattr, "extended attributes"),
	CALL(fsetxattr, "extended attributes"),
	CALL(flistxattr, "extended attributes"),
	CALL(fremovexattr, "extended attributes"),
	CALL(fcntl, "flags of its own descriptors, F_NOTIFY on the root directory"),
	CALL(recvmsg, "mount sources from the launcher, descriptors from sysd"),
	CALL(sendmsg, "donated descriptors to sysd"),
	CALL(poll, "its loop"),
	CALL(inotify_init1, "what the host changes in a bind mount that a guest watches"),
	CALL(inotify_add_watch, "what the host changes, of a file that it holds open, by /proc/self/fd"),
	CALL(inotify_rm_watch, "the end of a watch"),
	{.nr = SYS_socket, .arg_count = 1, .args = {{0, LOW_BITS, AF_UNIX}}, .only = 4,
	 .why = "a connection to a socket in a bind mount"},
	{.nr = SYS_connect, .only = 4, .why = "a connection to a socket in a bind mount, by /proc/self/fd"},
	CALL_ARG(prctl, 0, LOW_BITS, PR_SET_NAME, "names of worker threads"),
	CALL_ARG(prctl, 0, LOW_BITS, PR_SET_VMA, "names of memory areas, by the C library"),
};

const struct confine_policy confine_fsd = {
	.service = "fsd",
	.calls = calls,
	.call_count = ARRAY_SIZE(calls),
	.namespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
	.caps = CAP(CAP_CHOWN) | CAP(CAP_DAC_OVERRIDE) | CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_FOWNER) |
		CAP(CAP_FSETID) | CAP(CAP_SETUID) | CAP(CAP_SETGID) | CAP(CAP_SETFCAP),
	.nofile = 1 << 20,
};
