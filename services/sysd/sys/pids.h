/* Finding tasks by the number that a caller knows them by (its pid namespace). No references: the
 * results are valid until the caller sleeps. 0 is not the caller itself: that is for the call to say. */
#ifndef SYSD_SYS_PIDS_H
#define SYSD_SYS_PIDS_H
#include <stdbool.h>
#include <stdint.h>
struct task;
struct signal;
struct task *pids_find_task(struct task *t, int32_t tid);
/* By the id of the group only. */
struct signal *pids_find_group(struct task *t, int32_t pid);
/* pid 0: the caller. */
struct task *pids_find_or_self(struct task *t, int32_t tid);
/* What t sees as the number of another task or group; 0: not visible. */
uint32_t pids_tid_of(struct task *t, const struct task *of);
uint32_t pids_pid_of(struct task *t, const struct signal *of);
/* The euid rule that scheduling calls share: t may change `of` (sched_setaffinity(2)...). */
bool pids_same_owner(struct task *t, struct task *of);
#endif
