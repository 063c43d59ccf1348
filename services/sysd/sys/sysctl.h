/* Settings of the kernel that /proc/sys shows and system calls obey. */
#ifndef SYSD_SYS_SYSCTL_H
#define SYSD_SYS_SYSCTL_H
#include <stdint.h>
#define SYSCTL_PID_MAX_LIMIT 4194304
extern int64_t sysctl_dmesg_restrict;
extern int64_t sysctl_printk[4];
extern int64_t sysctl_pid_max, sysctl_threads_max;
extern int64_t sysctl_file_max, sysctl_nr_open, sysctl_pipe_max_size;
extern int64_t sysctl_pipe_user_pages_soft, sysctl_pipe_user_pages_hard, sysctl_aio_max_nr, sysctl_aio_nr, sysctl_dir_notify_enable;
extern int64_t sysctl_inotify_max_watches, sysctl_inotify_max_instances, sysctl_inotify_max_events;
extern int64_t sysctl_max_map_count, sysctl_overcommit_memory, sysctl_overcommit_ratio;
extern int64_t sysctl_shmmax, sysctl_shmall, sysctl_shmmni, sysctl_shm_rmid_forced;
extern int64_t sysctl_msgmax, sysctl_msgmnb, sysctl_msgmni;
extern int64_t sysctl_sem[4]; /* SEMMSL SEMMNS SEMOPM SEMMNI */
extern int64_t sysctl_mq_queues_max, sysctl_mq_msg_max, sysctl_mq_msgsize_max, sysctl_mq_msg_default,
	sysctl_mq_msgsize_default;
extern int64_t sysctl_protected_symlinks, sysctl_protected_hardlinks, sysctl_protected_fifos,
	sysctl_protected_regular;
extern int64_t sysctl_yama_ptrace_scope, sysctl_randomize_va_space, sysctl_somaxconn;
extern int64_t sysctl_pty_max, sysctl_pty_nr, sysctl_suid_dumpable, sysctl_ldisc_autoload;
extern int64_t sysctl_epoll_max_user_watches, sysctl_lease_break_time;
extern int64_t sysctl_unpriv_port, sysctl_ping_group[2];
extern char sysctl_core_pattern[128];
#endif
