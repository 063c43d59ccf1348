/* The directories of proc that are about a task: /proc/PID, its task/ and net/. */
#include <stdio.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/fs/proc/proc.h"
#include "services/sysd/fs/proc/pid_misc.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"

#define REG S_IFREG
#define LNK (S_IFLNK | 0777)

/* Both /proc/PID and /proc/PID/task/TID, in the order in which Linux lists them. */
const struct proc_entry proc_pid_table[] = {
	{"task", S_IFDIR | 0555, PROC_TGID_ONLY, .iop = &proc_taskdir_iops, .fop = &proc_taskdir_fops},
	{"fd", S_IFDIR | 0500, 0, .iop = &proc_fd_iops, .fop = &proc_fd_fops},
	{"fdinfo", S_IFDIR | 0555, 0, .iop = &proc_fdinfo_iops, .fop = &proc_fdinfo_fops},
	{"ns", S_IFDIR | 0511, 0, .table = proc_ns_table},
	{"net", S_IFDIR | 0555, 0, .iop = &proc_net_iops, .fop = &proc_net_fops},
	{"environ", REG | 0400, PROC_PTRACE | PROC_MM, proc_show_environ},
	{"auxv", REG | 0400, PROC_PTRACE | PROC_MM, proc_show_auxv},
	{"status", REG | 0444, 0, proc_show_status},
	{"personality", REG | 0400, PROC_PTRACE, proc_show_personality},
	{"limits", REG | 0444, 0, proc_show_limits},
	{"comm", REG | 0644, 0, proc_show_comm, proc_write_comm},
	{"syscall", REG | 0400, PROC_PTRACE, proc_show_syscall},
	{"cmdline", REG | 0444, 0, proc_show_cmdline},
	{"stat", REG | 0444, 0, proc_show_stat},
	{"statm", REG | 0444, 0, proc_show_statm},
	{"maps", REG | 0444, PROC_PTRACE | PROC_MM, proc_show_maps},
	{"children", REG | 0444, PROC_TID_ONLY, proc_show_children},
	{"mem", REG | 0600, PROC_PTRACE, .fop = &proc_mem_fops},
	{"cwd", LNK, PROC_PTRACE, .link_path = proc_link_cwd},
	{"root", LNK, PROC_PTRACE, .link_path = proc_link_root},
	{"exe", LNK, PROC_PTRACE, .link_path = proc_link_exe},
	{"mounts", REG | 0444, 0, proc_show_mounts, .fop = &proc_mounts_fops},
	{"mountinfo", REG | 0444, 0, proc_show_mountinfo, .fop = &proc_mounts_fops},
	{"mountstats", REG | 0400, PROC_TGID_ONLY, proc_show_mountstats},
	{"clear_refs", REG | 0200, PROC_PTRACE, .write = proc_write_clear_refs},
	{"smaps", REG | 0444, PROC_PTRACE | PROC_MM, proc_show_smaps},
	{"smaps_rollup", REG | 0444, PROC_PTRACE | PROC_MM, proc_show_smaps_rollup},
	{"wchan", REG | 0444, 0, proc_show_wchan},
	{"stack", REG | 0400, PROC_PTRACE, proc_show_stack},
	{"schedstat", REG | 0444, 0, proc_show_schedstat},
	{"cgroup", REG | 0444, 0, proc_show_cgroup},
	{"oom_score", REG | 0444, 0, proc_show_oom_score},
	{"oom_adj", REG | 0644, 0, proc_show_oom_adj, proc_write_oom_adj},
	{"oom_score_adj", REG | 0644, 0, proc_show_oom_score_adj, proc_write_oom_score_adj},
	{"loginuid", REG | 0644, 0, proc_show_loginuid, proc_write_loginuid},
	{"sessionid", REG | 0444, 0, proc_show_sessionid},
	{"uid_map", REG | 0644, 0, proc_show_id_map, proc_write_id_map},
	{"gid_map", REG | 0644, 0, proc_show_id_map, proc_write_id_map, .data = 1},
	{"setgroups", REG | 0644, 0, proc_show_setgroups},
	{"timers", REG | 0444, PROC_TGID_ONLY, proc_show_timers},
	{"timerslack_ns", REG | 0666, PROC_TGID_ONLY, proc_show_timerslack, proc_write_timerslack},
	{0},
};
const struct proc_entry proc_pid_dir = {
	.name = "pid", .mode = S_IFDIR | 0555, .iop = &proc_pid_iops, .fop = &proc_pid_fops};
const struct proc_entry proc_tid_dir = {
	.name = "tid", .mode = S_IFDIR | 0555, .iop = &proc_pid_iops, .fop = &proc_pid_fops};

static int dir_getattr(struct inode *inode)
{
	return proc_table_iops.getattr(inode);
}

static int pid_lookup(struct inode *dir, struct dentry *dentry)
{
	struct task *t = current_task(), *of = proc_task(proc_i(dir));

	if (!of)
		return -ENOENT;
	if (t && !proc_dir_permitted(dir, t, of))
		return -EPERM;
	return proc_lookup_table(dir, dentry, proc_pid_table);
}

static int pid_iterate(struct file *file, struct dir_context *ctx)
{
	struct task *t = current_task(), *of = proc_task(proc_i(file->inode));

	if (!of)
		return -ENOENT;
	if (t && !proc_dir_permitted(file->inode, t, of))
		return -EPERM;
	if (proc_emit_dots(file, ctx))
		proc_emit_table(file, ctx, proc_pid_table, 2);
	return 0;
}

static int taskdir_lookup(struct inode *dir, struct dentry *dentry)
{
	struct task *t = current_task(), *of;
	struct inode *inode;
	int64_t tid;

	if (strspn(dentry->name, "0123456789") != strlen(dentry->name) || dentry->name[0] == '0' ||
	    proc_parse_int(dentry->name, 1, INT32_MAX, &tid))
		return -ENOENT;
	of = pids_find_task(t, (int32_t)tid);
	if (!of || of->signal->pid != proc_i(dir)->pid || of->state == TASK_DEAD)
		return -ENOENT;
	inode = proc_inode_new(dir->sb, &proc_tid_dir, of);
	if (!inode)
		return -ENOMEM;
	d_instantiate(dentry, inode);
	return 0;
}

static int taskdir_iterate(struct file *file, struct dir_context *ctx)
{
	struct task *t = current_task(), *of = proc_task(proc_i(file->inode));

	if (!of)
		return -ENOENT;
	if (!proc_emit_dots(file, ctx))
		return 0;
	for (;;) {
		struct task *thread, *next = NULL;
		uint32_t best = 0;
		char name[16];

		/* numbers, not list places: threads come and go between two calls */
		LIST_FOR_EACH (thread, &of->signal->threads, thread_node) {
			uint32_t tid = pids_tid_of(t, thread);

			if (tid && (int64_t)tid + 2 > file->pos && (!best || tid < best) &&
			    thread->state != TASK_DEAD) {
				best = tid;
				next = thread;
			}
		}
		if (!next)
			return 0;
		snprintf(name, sizeof(name), "%u", best);
		if (!proc_emit(file, ctx, name, (int64_t)best + 2,
			       proc_ino(next->signal->pid, next->tid, &proc_tid_dir, 0), S_IFDIR))
			return 0;
	}
}

static int dir_setattr(struct dentry *dentry, const struct inode_attr *attr)
{
	return -EPERM;
}

static int64_t dir_llseek(struct file *file, int64_t off, int whence)
{
	return proc_table_fops.llseek(file, off, whence);
}

const struct inode_ops proc_pid_iops = {
	.lookup = pid_lookup, .getattr = dir_getattr, .setattr = dir_setattr};
const struct file_ops proc_pid_fops = {.iterate = pid_iterate, .llseek = dir_llseek};
const struct inode_ops proc_taskdir_iops = {
	.lookup = taskdir_lookup, .getattr = dir_getattr, .setattr = dir_setattr};
const struct file_ops proc_taskdir_fops = {.iterate = taskdir_iterate, .llseek = dir_llseek};

/* ---- net/: what other parts registered ---------------------------------------------------- */

#define NET_FILES_MAX 48
static struct proc_entry net_table[NET_FILES_MAX + 1];
static unsigned net_count;

int proc_net_register(const char *name, int (*show)(struct seqbuf *s, struct task *t,
						    const struct proc_inode *pi))
{
	if (net_count == NET_FILES_MAX)
		return -ENOSPC;
	net_table[net_count++] = (struct proc_entry){.name = name, .mode = S_IFREG | 0444, .show = show};
	return 0;
}

static int net_lookup(struct inode *dir, struct dentry *dentry)
{
	return proc_lookup_table(dir, dentry, net_table);
}

static int net_iterate(struct file *file, struct dir_context *ctx)
{
	if (proc_emit_dots(file, ctx))
		proc_emit_table(file, ctx, net_table, 2);
	return 0;
}

const struct inode_ops proc_net_iops = {
	.lookup = net_lookup, .getattr = dir_getattr, .setattr = dir_setattr};
const struct file_ops proc_net_fops = {.iterate = net_iterate, .llseek = dir_llseek};
