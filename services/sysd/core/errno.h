/* Error numbers of the kernel's inside that never reach a guest: how an interrupted call resumes
 * (signal(7), "Interruption of system calls"). The way out of a call turns them into EINTR or a
 * restart. */
#ifndef SYSD_CORE_ERRNO_H
#define SYSD_CORE_ERRNO_H
#include <errno.h>
#ifndef ENOIOCTLCMD
#define ENOIOCTLCMD 515 /* an ioctl that this part does not know; never leaves the kernel */
#endif
#ifndef ERESTARTSYS
#define ERESTARTSYS 512           /* restart if SA_RESTART, else EINTR */
#define ERESTARTNOINTR 513        /* always restart */
#define ERESTARTNOHAND 514        /* restart only if no handler ran */
#define ERESTART_RESTARTBLOCK 516 /* as NOHAND, and restarted by restart_syscall(2) */
#endif
#endif
