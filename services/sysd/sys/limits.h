/* What the sandbox as a whole may use, as its configuration says and CTL_UPDATE changes it. 0: no limit.
 * The number of tasks is enforced here (clone.c); memory and CPU by the host's control groups. */
#ifndef SYSD_SYS_LIMITS_H
#define SYSD_SYS_LIMITS_H

#include "common/ipc/msg_ctl.h"

extern struct ctl_limits limits;
void limits_set(const struct ctl_limits *l);
/* A task could not be made because of limits.pids. */
void limits_count_pids_max(void);
extern uint64_t limits_pids_events;

#endif
