/* Guest ABI of wait4(2), waitid(2) and pidfds. */
#ifndef SYSD_ABI_WAIT_H
#define SYSD_ABI_WAIT_H

#define ABI_WNOHANG 1u
#define ABI_WUNTRACED 2u
#define ABI_WSTOPPED 2u
#define ABI_WEXITED 4u
#define ABI_WCONTINUED 8u
#define ABI_WNOWAIT 0x01000000u
#define ABI_WNOTHREAD 0x20000000u
#define ABI_WALL 0x40000000u
#define ABI_WCLONE 0x80000000u

#define ABI_P_ALL 0
#define ABI_P_PID 1
#define ABI_P_PGID 2
#define ABI_P_PIDFD 3

#define ABI_PIDFD_NONBLOCK 00004000u /* O_NONBLOCK */
#define ABI_PIDFD_THREAD 0200u       /* O_EXCL */

#define ABI_PIDFD_SIGNAL_THREAD 1u
#define ABI_PIDFD_SIGNAL_THREAD_GROUP 2u
#define ABI_PIDFD_SIGNAL_PROCESS_GROUP 4u

#endif
