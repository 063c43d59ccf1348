/* Default values of the kernel's settings, as a Linux of this age has them. */
#include "services/sysd/sys/sysctl.h"

int64_t sysctl_dmesg_restrict = 0;
int64_t sysctl_printk[4] = {7, 4, 1, 7};
int64_t sysctl_pid_max = SYSCTL_PID_MAX_LIMIT, sysctl_threads_max = 32768;
int64_t sysctl_pipe_user_pages_soft = 16384, sysctl_pipe_user_pages_hard;
int64_t sysctl_aio_max_nr = 65536, sysctl_aio_nr, sysctl_dir_notify_enable = 1;
int64_t sysctl_file_max = INT64_MAX, sysctl_nr_open = 1048576, sysctl_pipe_max_size = 1048576;
int64_t sysctl_inotify_max_watches = 65536, sysctl_inotify_max_instances = 128,
	sysctl_inotify_max_events = 16384;
int64_t sysctl_max_map_count = 65530, sysctl_overcommit_memory = 0, sysctl_overcommit_ratio = 50;
int64_t sysctl_shmmax = INT64_MAX - (1 << 24) + 1, sysctl_shmall = INT64_MAX - (1 << 24) + 1,
	sysctl_shmmni = 4096, sysctl_shm_rmid_forced = 0;
int64_t sysctl_msgmax = 8192, sysctl_msgmnb = 16384, sysctl_msgmni = 32000;
int64_t sysctl_sem[4] = {32000, 1024000000, 500, 32000};
int64_t sysctl_mq_queues_max = 256, sysctl_mq_msg_max = 10, sysctl_mq_msgsize_max = 8192,
	sysctl_mq_msg_default = 10, sysctl_mq_msgsize_default = 8192;
int64_t sysctl_protected_symlinks = 1, sysctl_protected_hardlinks = 1, sysctl_protected_fifos = 1,
	sysctl_protected_regular = 2;
int64_t sysctl_yama_ptrace_scope = 0, sysctl_randomize_va_space = 2, sysctl_somaxconn = 4096;
int64_t sysctl_pty_max = 4096, sysctl_pty_nr = 0, sysctl_suid_dumpable = 0,
	sysctl_ldisc_autoload = 0;
int64_t sysctl_epoll_max_user_watches = 1048576, sysctl_lease_break_time = 45;
char sysctl_core_pattern[128] = "core";
int64_t sysctl_unpriv_port = 1024, sysctl_ping_group[2] = {1, 0};
