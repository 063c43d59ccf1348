/* Descriptors that the launcher gives each service at its start, by number. */
#ifndef SBX_IPC_STARTUP_H
#define SBX_IPC_STARTUP_H

/* every service */
#define SBX_FD_LOG 3      /* where log lines go */
#define SBX_FD_READY 4    /* a pipe: the service writes one byte when it is confined and serves, or a
			   * line of text that says why it cannot, and closes it */
/* sysd */
#define SYSD_FD_MEMD_RING 5
#define SYSD_FD_MEMD_PASS 6
#define SYSD_FD_FSD_RING 7
#define SYSD_FD_FSD_PASS 8
#define SYSD_FD_NETD_RING 9
#define SYSD_FD_NETD_PASS 10
#define SYSD_FD_LAUNCH_PASS 11 /* stdio and console descriptors from the launcher */
#define SYSD_FD_PROC 12        /* /proc of the pid namespace that sysd shares with memd, O_PATH;
				* absent when the host does not let one be mounted */
#define SYSD_FD_LOAD 13        /* the host's /proc/loadavg, read-only: is a CPU free to poll on? May be absent */
/* memd */
#define MEMD_FD_SYSD_RING 5
#define MEMD_FD_SYSD_PASS 6
#define MEMD_FD_LAUNCH_PASS 7  /* the duplicate of the seccomp listener goes to the supervisor */
#define MEMD_FD_PROC 8         /* as SYSD_FD_PROC */
/* fsd */
#define FSD_FD_SYSD_RING 5
#define FSD_FD_SYSD_PASS 6
#define FSD_FD_LAUNCH_PASS 7   /* mount sources as O_PATH descriptors; the ticket is
				* the source's index in the configuration, from 0 on */
#define FSD_FD_PROC 8          /* /proc of fsd's own pid namespace, in which it is alone: to open again what it
				* holds; absent as above */
/* netd */
#define NETD_FD_SYSD_RING 5
#define NETD_FD_SYSD_PASS 6
#define NETD_FD_LAUNCH_PASS 7

/* Ring sides: sysd is side 0 of each of its rings, the other service side 1. */
#define SBX_RING_SIDE_SYSD 0
#define SBX_RING_SIDE_PEER 1

/* Control plane: nng, ipc:///ctl/sysd.sock inside sysd's root (the launcher listens, sysd dials).
 * See common/ipc/endpoint.h. */
#define SBX_CTL_DIR "/ctl"

#endif
