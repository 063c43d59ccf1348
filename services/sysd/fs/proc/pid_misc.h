/* The small files of /proc/PID. */
#ifndef SYSD_FS_PROC_PID_MISC_H
#define SYSD_FS_PROC_PID_MISC_H
#include "services/sysd/fs/proc/proc.h"
PROC_SHOW(proc_show_personality); PROC_SHOW(proc_show_limits); PROC_SHOW(proc_show_comm);
PROC_SHOW(proc_show_syscall); PROC_SHOW(proc_show_children); PROC_SHOW(proc_show_wchan);
PROC_SHOW(proc_show_stack); PROC_SHOW(proc_show_schedstat); PROC_SHOW(proc_show_cgroup);
PROC_SHOW(proc_show_oom_score); PROC_SHOW(proc_show_oom_adj); PROC_SHOW(proc_show_oom_score_adj);
PROC_SHOW(proc_show_loginuid); PROC_SHOW(proc_show_sessionid); PROC_SHOW(proc_show_id_map); PROC_SHOW(proc_show_setgroups);
PROC_SHOW(proc_show_timers); PROC_SHOW(proc_show_timerslack);
PROC_WRITE(proc_write_comm); PROC_WRITE(proc_write_clear_refs); PROC_WRITE(proc_write_oom_adj);
PROC_WRITE(proc_write_oom_score_adj); PROC_WRITE(proc_write_loginuid);
PROC_WRITE(proc_write_id_map); PROC_WRITE(proc_write_timerslack);
extern const struct proc_entry proc_ns_table[];
/* A number for a namespace object; `first` is the one of the first of its kind. */
uint64_t proc_ns_number(const void *ns, uint64_t first);
#endif
