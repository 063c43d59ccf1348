/* Flags and numbers by name. The constants are those of the Linux x86-64 interface, which the guest and the
 * host have in common. */
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/wait.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <time.h>

#include "common/base/util.h"
#include "services/sysd/syscall/strace/strace.h"

#define N(x) {(uint64_t)(x), #x}

#define FLAGS(what, ...)                                                                         \
	static const struct name what##_names[] = {__VA_ARGS__};                                 \
	void show_##what(struct line *l, struct task *t, uint64_t v, int64_t ret)                \
	{                                                                                        \
		put_bits(l, what##_names, ARRAY_SIZE(what##_names), (uint32_t)v);                \
	}
#define ENUM(what, prefix, ...)                                                                  \
	static const struct name what##_names[] = {__VA_ARGS__};                                 \
	void show_##what(struct line *l, struct task *t, uint64_t v, int64_t ret)                \
	{                                                                                        \
		put_enum(l, what##_names, ARRAY_SIZE(what##_names), (uint32_t)v, prefix);        \
	}

static const struct name open_names[] = {
	N(O_CREAT), N(O_EXCL), N(O_NOCTTY), N(O_TRUNC), N(O_APPEND), N(O_NONBLOCK), {010000000 | 04000000 | 010000, "O_SYNC"},
	{04010000, "O_SYNC"}, N(O_DSYNC), N(O_ASYNC), {0100000, "O_LARGEFILE"}, {020000000 | 0200000, "O_TMPFILE"},
	N(O_DIRECTORY), N(O_NOFOLLOW), N(O_CLOEXEC), N(O_DIRECT), N(O_NOATIME), N(O_PATH)};
void show_open_flags(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};

	put(l, "%s", modes[v & O_ACCMODE]);
	if ((uint32_t)v & ~(uint32_t)O_ACCMODE) {
		put(l, "|");
		put_bits(l, open_names, ARRAY_SIZE(open_names), (uint32_t)v & ~(uint32_t)O_ACCMODE);
	}
}

FLAGS(access_mode, N(F_OK), N(R_OK), N(W_OK), N(X_OK))
FLAGS(at_flags, N(AT_SYMLINK_NOFOLLOW), N(AT_REMOVEDIR), N(AT_SYMLINK_FOLLOW), N(AT_NO_AUTOMOUNT), N(AT_EMPTY_PATH),
      N(AT_STATX_FORCE_SYNC), N(AT_STATX_DONT_SYNC), N(AT_RECURSIVE))
ENUM(seek_whence, "SEEK_", N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE))
FLAGS(mmap_prot, N(PROT_NONE), N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), N(PROT_GROWSDOWN), N(PROT_GROWSUP))
FLAGS(mmap_flags, N(MAP_SHARED_VALIDATE), N(MAP_SHARED), N(MAP_PRIVATE), N(MAP_FIXED), N(MAP_ANONYMOUS), N(MAP_GROWSDOWN),
      N(MAP_DENYWRITE), N(MAP_LOCKED), N(MAP_NORESERVE), N(MAP_POPULATE), N(MAP_NONBLOCK), N(MAP_STACK),
      N(MAP_HUGETLB), N(MAP_SYNC), N(MAP_FIXED_NOREPLACE))
FLAGS(mremap_flags, N(MREMAP_MAYMOVE), N(MREMAP_FIXED), N(MREMAP_DONTUNMAP))
ENUM(madvice, "MADV_", N(MADV_NORMAL), N(MADV_RANDOM), N(MADV_SEQUENTIAL), N(MADV_WILLNEED), N(MADV_DONTNEED), N(MADV_FREE),
     N(MADV_REMOVE), N(MADV_DONTFORK), N(MADV_DOFORK), N(MADV_HUGEPAGE), N(MADV_NOHUGEPAGE), N(MADV_DONTDUMP),
     N(MADV_DODUMP), N(MADV_WIPEONFORK), N(MADV_KEEPONFORK), N(MADV_COLD), N(MADV_PAGEOUT), N(MADV_POPULATE_READ),
     N(MADV_POPULATE_WRITE))
ENUM(sig_how, "SIG_", {0, "SIG_BLOCK"}, {1, "SIG_UNBLOCK"}, {2, "SIG_SETMASK"})

void show_signal(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	put_signal(l, (int)v);
}

static const struct name clone_names[] = {
	N(CLONE_VM), N(CLONE_FS), N(CLONE_FILES), N(CLONE_SIGHAND), N(CLONE_PIDFD), N(CLONE_PTRACE), N(CLONE_VFORK),
	N(CLONE_PARENT), N(CLONE_THREAD), N(CLONE_NEWNS), N(CLONE_SYSVSEM), N(CLONE_SETTLS), N(CLONE_PARENT_SETTID),
	N(CLONE_CHILD_CLEARTID), N(CLONE_UNTRACED), N(CLONE_CHILD_SETTID), N(CLONE_NEWCGROUP), N(CLONE_NEWUTS),
	N(CLONE_NEWIPC), N(CLONE_NEWUSER), N(CLONE_NEWPID), N(CLONE_NEWNET), N(CLONE_IO)};
void show_clone_flags(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	uint64_t flags = v & ~(uint64_t)CSIGNAL;

	if (flags || !(v & CSIGNAL))
		put_bits(l, clone_names, ARRAY_SIZE(clone_names), flags);
	if (v & CSIGNAL) {
		put(l, flags ? "|" : "");
		put_signal(l, (int)(v & CSIGNAL));
	}
}

FLAGS(wait_flags, N(WNOHANG), N(WUNTRACED), N(WEXITED), N(WCONTINUED), N(WNOWAIT), N(__WNOTHREAD), N(__WALL), N(__WCLONE))
ENUM(wait_type, "P_", {0, "P_ALL"}, {1, "P_PID"}, {2, "P_PGID"}, {3, "P_PIDFD"})

static const struct name futex_names[] = {
	N(FUTEX_WAIT), N(FUTEX_WAKE), N(FUTEX_FD), N(FUTEX_REQUEUE), N(FUTEX_CMP_REQUEUE), N(FUTEX_WAKE_OP), N(FUTEX_LOCK_PI),
	N(FUTEX_UNLOCK_PI), N(FUTEX_TRYLOCK_PI), N(FUTEX_WAIT_BITSET), N(FUTEX_WAKE_BITSET), N(FUTEX_WAIT_REQUEUE_PI),
	N(FUTEX_CMP_REQUEUE_PI), N(FUTEX_LOCK_PI2)};
void show_futex_op(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	put_enum(l, futex_names, ARRAY_SIZE(futex_names), v & FUTEX_CMD_MASK & 0xffffffff, "FUTEX_");
	if (v & FUTEX_PRIVATE_FLAG)
		put(l, "|FUTEX_PRIVATE_FLAG");
	if (v & FUTEX_CLOCK_REALTIME)
		put(l, "|FUTEX_CLOCK_REALTIME");
}

ENUM(fcntl_cmd, "F_", N(F_DUPFD), N(F_GETFD), N(F_SETFD), N(F_GETFL), N(F_SETFL), N(F_GETLK), N(F_SETLK), N(F_SETLKW),
     N(F_SETOWN), N(F_GETOWN), N(F_SETSIG), N(F_GETSIG), N(F_SETOWN_EX), N(F_GETOWN_EX), N(F_OFD_GETLK), N(F_OFD_SETLK),
     N(F_OFD_SETLKW), N(F_SETLEASE), N(F_GETLEASE), N(F_NOTIFY), N(F_DUPFD_CLOEXEC), N(F_SETPIPE_SZ), N(F_GETPIPE_SZ),
     N(F_ADD_SEALS), N(F_GET_SEALS), N(F_GET_RW_HINT), N(F_SET_RW_HINT))
FLAGS(flock_op, N(LOCK_SH), N(LOCK_EX), N(LOCK_NB), N(LOCK_UN))
ENUM(ioctl_cmd, "_IOC", N(TCGETS), N(TCSETS), N(TCSETSW), N(TCSETSF), N(TIOCGPGRP), N(TIOCSPGRP), N(TIOCGWINSZ), N(TIOCSWINSZ),
     N(TIOCSCTTY), N(TIOCNOTTY), N(TIOCGPTN), N(TIOCSPTLCK), N(TIOCGSID), N(TIOCOUTQ), N(FIONREAD), N(FIONBIO), N(FIOASYNC),
     N(FIOCLEX), N(FIONCLEX), N(TCFLSH), N(TCSBRK), N(TCXONC), N(FICLONE), N(FS_IOC_GETFLAGS), N(FS_IOC_SETFLAGS))
ENUM(clock, "CLOCK_", N(CLOCK_REALTIME), N(CLOCK_MONOTONIC), N(CLOCK_PROCESS_CPUTIME_ID), N(CLOCK_THREAD_CPUTIME_ID),
     N(CLOCK_MONOTONIC_RAW), N(CLOCK_REALTIME_COARSE), N(CLOCK_MONOTONIC_COARSE), N(CLOCK_BOOTTIME),
     N(CLOCK_REALTIME_ALARM), N(CLOCK_BOOTTIME_ALARM), N(CLOCK_TAI))
FLAGS(timer_flags, N(TIMER_ABSTIME), {2, "TFD_TIMER_CANCEL_ON_SET"})
ENUM(itimer_which, "ITIMER_", N(ITIMER_REAL), N(ITIMER_VIRTUAL), N(ITIMER_PROF))
ENUM(rlimit_which, "RLIMIT_", N(RLIMIT_CPU), N(RLIMIT_FSIZE), N(RLIMIT_DATA), N(RLIMIT_STACK), N(RLIMIT_CORE), N(RLIMIT_RSS),
     N(RLIMIT_NPROC), N(RLIMIT_NOFILE), N(RLIMIT_MEMLOCK), N(RLIMIT_AS), N(RLIMIT_LOCKS), N(RLIMIT_SIGPENDING),
     N(RLIMIT_MSGQUEUE), N(RLIMIT_NICE), N(RLIMIT_RTPRIO), N(RLIMIT_RTTIME))
ENUM(family, "AF_", N(AF_UNSPEC), N(AF_UNIX), N(AF_INET), N(AF_INET6), N(AF_NETLINK), N(AF_PACKET), N(AF_ALG), N(AF_VSOCK))

static const struct name sock_type_names[] = {N(SOCK_STREAM), N(SOCK_DGRAM), N(SOCK_RAW), N(SOCK_RDM), N(SOCK_SEQPACKET),
					      {10, "SOCK_PACKET"}};
void show_sock_type(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	put_enum(l, sock_type_names, ARRAY_SIZE(sock_type_names), v & 0xf, "SOCK_");
	if (v & SOCK_NONBLOCK)
		put(l, "|SOCK_NONBLOCK");
	if (v & SOCK_CLOEXEC)
		put(l, "|SOCK_CLOEXEC");
}

ENUM(sock_level, "SOL_", N(SOL_SOCKET), {0, "SOL_IP"}, {6, "SOL_TCP"}, {17, "SOL_UDP"}, {41, "SOL_IPV6"}, {58, "SOL_ICMPV6"},
     {255, "SOL_RAW"}, {263, "SOL_PACKET"}, {270, "SOL_NETLINK"})
FLAGS(msg_flags, N(MSG_OOB), N(MSG_PEEK), N(MSG_DONTROUTE), N(MSG_CTRUNC), N(MSG_TRUNC), N(MSG_DONTWAIT), N(MSG_EOR), N(MSG_WAITALL),
      N(MSG_CONFIRM), N(MSG_ERRQUEUE), N(MSG_NOSIGNAL), N(MSG_MORE), N(MSG_WAITFORONE), N(MSG_FASTOPEN),
      N(MSG_CMSG_CLOEXEC), N(MSG_ZEROCOPY))
ENUM(shut_how, "SHUT_", {0, "SHUT_RD"}, {1, "SHUT_WR"}, {2, "SHUT_RDWR"})
ENUM(epoll_op, "EPOLL_CTL_", N(EPOLL_CTL_ADD), N(EPOLL_CTL_DEL), N(EPOLL_CTL_MOD))
FLAGS(fd_flags, N(O_CLOEXEC), N(O_NONBLOCK), N(O_DIRECT), N(EFD_SEMAPHORE))
FLAGS(splice_flags, N(SPLICE_F_MOVE), N(SPLICE_F_NONBLOCK), N(SPLICE_F_MORE), N(SPLICE_F_GIFT))
FLAGS(rename_flags, {1, "RENAME_NOREPLACE"}, {2, "RENAME_EXCHANGE"}, {4, "RENAME_WHITEOUT"})
FLAGS(falloc_mode, {1, "FALLOC_FL_KEEP_SIZE"}, {2, "FALLOC_FL_PUNCH_HOLE"}, {8, "FALLOC_FL_COLLAPSE_RANGE"},
      {16, "FALLOC_FL_ZERO_RANGE"}, {32, "FALLOC_FL_INSERT_RANGE"}, {64, "FALLOC_FL_UNSHARE_RANGE"})
FLAGS(mount_flags, N(MS_RDONLY), N(MS_NOSUID), N(MS_NODEV), N(MS_NOEXEC), N(MS_SYNCHRONOUS), N(MS_REMOUNT), N(MS_MANDLOCK),
      N(MS_DIRSYNC), N(MS_NOATIME), N(MS_NODIRATIME), N(MS_BIND), N(MS_MOVE), N(MS_REC), N(MS_SILENT), N(MS_UNBINDABLE),
      N(MS_PRIVATE), N(MS_SLAVE), N(MS_SHARED), N(MS_RELATIME), N(MS_STRICTATIME), N(MS_LAZYTIME))
FLAGS(umount_flags, {1, "MNT_FORCE"}, {2, "MNT_DETACH"}, {4, "MNT_EXPIRE"}, {8, "UMOUNT_NOFOLLOW"})
ENUM(prctl_option, "PR_", N(PR_SET_PDEATHSIG), N(PR_GET_PDEATHSIG), N(PR_GET_DUMPABLE), N(PR_SET_DUMPABLE), N(PR_GET_KEEPCAPS),
     N(PR_SET_KEEPCAPS), N(PR_SET_NAME), N(PR_GET_NAME), N(PR_GET_SECCOMP), N(PR_SET_SECCOMP), N(PR_CAPBSET_READ),
     N(PR_CAPBSET_DROP), N(PR_GET_SECUREBITS), N(PR_SET_SECUREBITS), N(PR_SET_TIMERSLACK), N(PR_GET_TIMERSLACK),
     N(PR_SET_MM), N(PR_SET_PTRACER), N(PR_SET_CHILD_SUBREAPER), N(PR_GET_CHILD_SUBREAPER), N(PR_SET_NO_NEW_PRIVS),
     N(PR_GET_NO_NEW_PRIVS), N(PR_GET_TID_ADDRESS), N(PR_SET_THP_DISABLE), N(PR_GET_THP_DISABLE), N(PR_CAP_AMBIENT),
     N(PR_SET_VMA), N(PR_SCHED_CORE))
FLAGS(getrandom_flags, N(GRND_NONBLOCK), N(GRND_RANDOM), N(GRND_INSECURE))
FLAGS(memfd_flags, N(MFD_CLOEXEC), N(MFD_ALLOW_SEALING), N(MFD_HUGETLB))
FLAGS(inotify_mask, N(IN_ALL_EVENTS), N(IN_ACCESS), N(IN_MODIFY), N(IN_ATTRIB), N(IN_CLOSE_WRITE), N(IN_CLOSE_NOWRITE), N(IN_OPEN),
      N(IN_MOVED_FROM), N(IN_MOVED_TO), N(IN_CREATE), N(IN_DELETE), N(IN_DELETE_SELF), N(IN_MOVE_SELF), N(IN_ONLYDIR),
      N(IN_DONT_FOLLOW), N(IN_EXCL_UNLINK), N(IN_MASK_CREATE), N(IN_MASK_ADD), N(IN_ONESHOT))
FLAGS(xattr_flags, N(XATTR_CREATE), N(XATTR_REPLACE))
ENUM(ptrace_request, "PTRACE_", N(PTRACE_TRACEME), N(PTRACE_PEEKTEXT), N(PTRACE_PEEKDATA), N(PTRACE_PEEKUSER), N(PTRACE_POKETEXT),
     N(PTRACE_POKEDATA), N(PTRACE_POKEUSER), N(PTRACE_CONT), N(PTRACE_KILL), N(PTRACE_SINGLESTEP), N(PTRACE_GETREGS),
     N(PTRACE_SETREGS), N(PTRACE_ATTACH), N(PTRACE_DETACH), N(PTRACE_SYSCALL), N(PTRACE_SETOPTIONS),
     N(PTRACE_GETEVENTMSG), N(PTRACE_GETSIGINFO), N(PTRACE_SETSIGINFO), N(PTRACE_GETREGSET), N(PTRACE_SETREGSET),
     N(PTRACE_SEIZE), N(PTRACE_INTERRUPT), N(PTRACE_LISTEN))
ENUM(seccomp_op, "SECCOMP_", N(SECCOMP_SET_MODE_STRICT), N(SECCOMP_SET_MODE_FILTER), N(SECCOMP_GET_ACTION_AVAIL),
     N(SECCOMP_GET_NOTIF_SIZES))
