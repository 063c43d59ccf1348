/* The cgroup file systems as a container sees its own group: limits and counts to read. Groups below it
 * cannot be made. */
#include <stdio.h>
#include "common/base/util.h"
#include "services/sysd/fs/proc/seqbuf.h"
#include "services/sysd/fs/sysfs/tree.h"
#include "services/sysd/sys/kinfo.h"
#include "services/sysd/sys/limits.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/cputime.h"
#include "services/sysd/vfs/inode.h"

#define CGROUP2_MAGIC 0x63677270

static int show_procs(struct seqbuf *s, const struct tree_node *n)
{
	struct task *cur = current_task();
	struct signal *sig;

	LIST_FOR_EACH (sig, signal_all(), all_node)
		if (cur && sig->live && pids_pid_of(cur, sig))
			seq_printf(s, "%u\n", pids_pid_of(cur, sig));
	return 0;
}

static int show_threads(struct seqbuf *s, const struct tree_node *n)
{
	struct task *cur = current_task(), *t;

	LIST_FOR_EACH (t, task_all(), all_node)
		if (cur && t->state != TASK_DEAD && t->state != TASK_ZOMBIE)
			seq_printf(s, "%u\n", pids_tid_of(cur, t));
	return 0;
}

static int show_memory_max(struct seqbuf *s, const struct tree_node *n)
{
	struct kinfo_mem mem;

	kinfo_mem(&mem);
	if (mem.total < kinfo_host.mem_total)
		seq_printf(s, "%llu\n", (unsigned long long)mem.total);
	else
		seq_puts(s, "max\n");
	return 0;
}

static void put_max(struct seqbuf *s, uint64_t v)
{
	if (v)
		seq_printf(s, "%llu", (unsigned long long)v);
	else
		seq_puts(s, "max");
}

static int show_swap_max(struct seqbuf *s, const struct tree_node *n)
{
	if (limits.swap && limits.memory && limits.swap > limits.memory)
		put_max(s, limits.swap - limits.memory);
	else
		put_max(s, limits.swap ? 0 : limits.memory ? limits.memory : 0);
	seq_putc(s, '\n');
	return 0;
}

static int show_cpu_max(struct seqbuf *s, const struct tree_node *n)
{
	put_max(s, limits.cpu_quota);
	seq_printf(s, " %llu\n", limits.cpu_period ? (unsigned long long)limits.cpu_period : 100000ull);
	return 0;
}

static int show_cpu_weight(struct seqbuf *s, const struct tree_node *n)
{
	/* as runc translates shares */
	uint64_t w = limits.cpu_shares >= 2 ? 1 + (MIN(limits.cpu_shares, 262144ull) - 2) * 9999 / 262142 : 100;

	seq_printf(s, "%llu\n", (unsigned long long)w);
	return 0;
}

static int show_pids_max(struct seqbuf *s, const struct tree_node *n)
{
	put_max(s, limits.pids);
	seq_putc(s, '\n');
	return 0;
}

static int show_pids_events(struct seqbuf *s, const struct tree_node *n)
{
	seq_printf(s, "max %llu\n", (unsigned long long)limits_pids_events);
	return 0;
}

static int show_cpuset(struct seqbuf *s, const struct tree_node *n)
{
	seq_bits(s, kinfo_host.cpus, kinfo_host.cpu_count);
	seq_putc(s, '\n');
	return 0;
}

static int show_memory_current(struct seqbuf *s, const struct tree_node *n)
{
	struct kinfo_mem mem;

	kinfo_mem(&mem);
	seq_printf(s, "%llu\n", (unsigned long long)(mem.total - mem.free));
	return 0;
}

static int show_memory_stat(struct seqbuf *s, const struct tree_node *n)
{
	struct kinfo_mem mem;

	kinfo_mem(&mem);
	seq_printf(s, "anon %llu\nfile %llu\n", (unsigned long long)mem.anon, (unsigned long long)mem.shared);
	return 0;
}

static int show_cpu_stat(struct seqbuf *s, const struct tree_node *n)
{
	uint64_t user = 0, sys = 0;
	struct signal *sig;

	LIST_FOR_EACH (sig, signal_all(), all_node) {
		uint64_t u, k;

		cputime_group(sig, &u, &k);
		user += u + sig->cutime_ns;
		sys += k + sig->cstime_ns;
	}
	seq_printf(s, "usage_usec %llu\nuser_usec %llu\nsystem_usec %llu\n",
		   (unsigned long long)(user + sys) / 1000, (unsigned long long)user / 1000,
		   (unsigned long long)sys / 1000);
	return 0;
}

static int show_pids_current(struct seqbuf *s, const struct tree_node *n)
{
	uint64_t load[3];
	unsigned running, total;

	kinfo_load(load, &running, &total);
	seq_printf(s, "%u\n", total);
	return 0;
}

static int cgroup_mount(const struct fs_type *type, const char *source, const char *data,
			unsigned sb_flags, struct super_block **ret_sb)
{
	static struct tree_node *root;

	if (!root) {
		root = tree_new();
		tree_text(root, "cgroup.controllers", "cpuset cpu memory pids\n");
		tree_text(root, "cgroup.subtree_control", "\n");
		tree_text(root, "cgroup.type", "domain\n");
		tree_text(root, "cgroup.events", "populated 1\nfrozen 0\n");
		tree_text(root, "cgroup.max.depth", "0\n");
		tree_text(root, "cgroup.max.descendants", "0\n");
		tree_file(root, "cgroup.procs", show_procs, 0);
		tree_file(root, "cgroup.threads", show_threads, 0);
		tree_file(root, "cpu.max", show_cpu_max, 0);
		tree_file(root, "cpu.weight", show_cpu_weight, 0);
		tree_file(root, "cpuset.cpus", show_cpuset, 0);
		tree_file(root, "cpuset.cpus.effective", show_cpuset, 0);
		tree_text(root, "cpuset.mems.effective", "0\n");
		tree_file(root, "cpu.stat", show_cpu_stat, 0);
		tree_file(root, "memory.max", show_memory_max, 0);
		tree_text(root, "memory.high", "max\n");
		tree_file(root, "memory.swap.max", show_swap_max, 0);
		tree_text(root, "memory.swap.current", "0\n");
		tree_text(root, "memory.low", "0\n");
		tree_text(root, "memory.min", "0\n");
		tree_file(root, "memory.current", show_memory_current, 0);
		tree_file(root, "memory.stat", show_memory_stat, 0);
		tree_file(root, "pids.max", show_pids_max, 0);
		tree_file(root, "pids.events", show_pids_events, 0);
		tree_file(root, "pids.current", show_pids_current, 0);
	}
	return tree_mount(type, root, CGROUP2_MAGIC, sb_flags, ret_sb);
}

static struct fs_type cgroup2_type = {.name = "cgroup2", .nodev = true, .mount = cgroup_mount};
static struct fs_type cgroup_type = {.name = "cgroup", .nodev = true, .mount = cgroup_mount};

void cgroup_fs_init(void)
{
	fs_type_register(&cgroup_type);
	fs_type_register(&cgroup2_type);
}
