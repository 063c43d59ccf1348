/* The files of the top directory of proc. */
#include <stdio.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/fs/proc/proc.h"
#include "services/sysd/ipc/ipc_proc.h"
#include "services/sysd/sys/kinfo.h"
#include "services/sysd/sys/klog.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/cputime.h"

static PROC_SHOW(show_cpuinfo)
{
	seq_write(s, kinfo_host.cpuinfo ? kinfo_host.cpuinfo : "", kinfo_host.cpuinfo_size);
	return 0;
}

static PROC_SHOW(show_meminfo)
{
	struct kinfo_mem mem;
	const unsigned long long kb = 1024;

	kinfo_mem(&mem);
	const struct {
		const char *name;
		uint64_t bytes;
	} row[] = {
		{"MemTotal:", mem.total}, {"MemFree:", mem.free}, {"MemAvailable:", mem.free},
		{"Buffers:", 0}, {"Cached:", mem.shared}, {"SwapCached:", 0},
		{"Active:", mem.anon + mem.shared}, {"Inactive:", 0}, {"Active(anon):", mem.anon},
		{"Inactive(anon):", 0}, {"Active(file):", mem.shared}, {"Inactive(file):", 0},
		{"Unevictable:", 0}, {"Mlocked:", 0}, {"SwapTotal:", 0}, {"SwapFree:", 0}, {"Dirty:", 0},
		{"Writeback:", 0}, {"AnonPages:", mem.anon}, {"Mapped:", mem.shared}, {"Shmem:", 0},
		{"KReclaimable:", 0}, {"Slab:", 0}, {"SReclaimable:", 0}, {"SUnreclaim:", 0},
		{"KernelStack:", 0}, {"PageTables:", (mem.anon + mem.shared) / 512},
		{"CommitLimit:", mem.total / 2}, {"Committed_AS:", mem.anon},
		{"VmallocTotal:", 35184372087808ull}, {"VmallocUsed:", 0}, {"VmallocChunk:", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		seq_printf(s, "%-15s %8llu kB\n", row[i].name, (unsigned long long)row[i].bytes / kb);
	seq_puts(s, "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n"
		    "HugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:               0 kB\n");
	return 0;
}

/* Time of all tasks that are or were: the sandbox has no other work. */
static void total_cpu(uint64_t *ret_user, uint64_t *ret_system, unsigned *ret_procs)
{
	struct signal *sig;

	*ret_user = *ret_system = 0;
	*ret_procs = 0;
	LIST_FOR_EACH (sig, signal_all(), all_node) {
		uint64_t u, s;

		cputime_group(sig, &u, &s);
		*ret_user += u + sig->cutime_ns;
		*ret_system += s + sig->cstime_ns;
		(*ret_procs)++;
	}
}

static uint32_t last_pid(void)
{
	struct task *t;
	uint32_t last = 0;

	LIST_FOR_EACH (t, task_all(), all_node)
		last = MAX(last, t->tid);
	return last;
}

static PROC_SHOW(show_stat)
{
	uint64_t user, sys, up = clock_ns(CLOCK_BOOTTIME), tick = NSEC_PER_SEC / ABI_USER_HZ, loads[3];
	unsigned n = kinfo_host.cpu_count, procs, running, total;
	uint64_t idle;

	total_cpu(&user, &sys, &procs);
	kinfo_load(loads, &running, &total);
	idle = up * n - MIN(up * n, user + sys);
	seq_printf(s, "cpu  %llu 0 %llu %llu 0 0 0 0 0 0\n", (unsigned long long)(user / tick),
		   (unsigned long long)(sys / tick), (unsigned long long)(idle / tick));
	for (unsigned i = 0; i < n; i++)
		seq_printf(s, "cpu%u %llu 0 %llu %llu 0 0 0 0 0 0\n", i,
			   (unsigned long long)(user / tick / n), (unsigned long long)(sys / tick / n),
			   (unsigned long long)(idle / tick / n));
	seq_printf(s, "intr 0\nctxt 0\nbtime %llu\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
		   (unsigned long long)((clock_real_ns() - up) / NSEC_PER_SEC), last_pid(),
		   MAX(running, 1u));
	seq_puts(s, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
	return 0;
}

static PROC_SHOW(show_uptime)
{
	uint64_t user, sys, up = clock_ns(CLOCK_BOOTTIME), idle;
	unsigned procs;

	total_cpu(&user, &sys, &procs);
	idle = up * kinfo_host.cpu_count;
	idle -= MIN(idle, user + sys);
	seq_printf(s, "%llu.%02llu %llu.%02llu\n", (unsigned long long)(up / NSEC_PER_SEC),
		   (unsigned long long)(up % NSEC_PER_SEC / 10000000),
		   (unsigned long long)(idle / NSEC_PER_SEC),
		   (unsigned long long)(idle % NSEC_PER_SEC / 10000000));
	return 0;
}

static PROC_SHOW(show_loadavg)
{
	uint64_t load[3];
	unsigned running, total;

	kinfo_load(load, &running, &total);
	for (int i = 0; i < 3; i++)
		seq_printf(s, "%llu.%02llu ", (unsigned long long)(load[i] >> 16),
			   (unsigned long long)((load[i] & 0xffff) * 100 >> 16));
	seq_printf(s, "%u/%u %u\n", running, total, last_pid());
	return 0;
}

static PROC_SHOW(show_version)
{
	seq_puts(s, KINFO_SYSNAME " version " KINFO_RELEASE " (" KINFO_BUILDER ") (" KINFO_COMPILER ") "
		    KINFO_VERSION "\n");
	return 0;
}

static PROC_SHOW(show_filesystems)
{
	struct fs_type *type;

	LIST_FOR_EACH (type, fs_type_all(), node)
		seq_printf(s, "%s\t%s\n", type->nodev ? "nodev" : "", type->name);
	return 0;
}

static PROC_SHOW(show_cmdline)
{
	seq_puts(s, "BOOT_IMAGE=/sbx console=ttyS0\n");
	return 0;
}

static PROC_SHOW(show_devices)
{
	seq_puts(s, "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n"
		    " 10 misc\n136 pts\n\nBlock devices:\n");
	return 0;
}

static PROC_SHOW(show_misc)
{
	return 0;
}

static PROC_SHOW(show_partitions)
{
	seq_puts(s, "major minor  #blocks  name\n\n");
	return 0;
}

static PROC_SHOW(show_swaps)
{
	seq_puts(s, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

static PROC_SHOW(show_interrupts)
{
	seq_puts(s, "     ");
	for (unsigned i = 0; i < kinfo_host.cpu_count; i++)
		seq_printf(s, "      CPU%-3u", i);
	seq_puts(s, "\nERR:          0\nMIS:          0\n");
	return 0;
}

static PROC_SHOW(show_modules)
{
	return 0;
}

static PROC_SHOW(show_diskstats)
{
	return 0;
}

static PROC_SHOW(show_vmstat)
{
	struct kinfo_mem mem;

	kinfo_mem(&mem);
	seq_printf(s, "nr_free_pages %llu\nnr_anon_pages %llu\nnr_mapped %llu\nnr_file_pages %llu\n",
		   (unsigned long long)(mem.free / SBX_PAGE_SIZE),
		   (unsigned long long)(mem.anon / SBX_PAGE_SIZE),
		   (unsigned long long)(mem.shared / SBX_PAGE_SIZE),
		   (unsigned long long)(mem.shared / SBX_PAGE_SIZE));
	seq_puts(s, "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault 0\npgmajfault 0\noom_kill 0\n");
	return 0;
}

static PROC_SHOW(show_cgroups)
{
	seq_puts(s, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
	return 0;
}

static int self_text(struct task *t, const struct proc_inode *pi, char **ret)
{
	char buf[64];

	if (!t)
		return -ENOENT;
	if (pi->entry->data)
		snprintf(buf, sizeof(buf), "%u/task/%u", pids_pid_of(t, t->signal), pids_tid_of(t, t));
	else
		snprintf(buf, sizeof(buf), "%u", pids_pid_of(t, t->signal));
	*ret = strdup(buf);
	return *ret ? 0 : -ENOMEM;
}

static int fixed_text(struct task *t, const struct proc_inode *pi, char **ret)
{
	*ret = strdup((const char *)(uintptr_t)pi->entry->data);
	return *ret ? 0 : -ENOMEM;
}

static const struct proc_entry tty_table[] = {{"drivers", S_IFREG | 0444, 0, show_misc}, {0}};
static const struct proc_entry sysvipc_table[] = {
	{"msg", S_IFREG | 0444, 0, proc_show_sysvipc_msg},
	{"sem", S_IFREG | 0444, 0, proc_show_sysvipc_sem},
	{"shm", S_IFREG | 0444, 0, proc_show_sysvipc_shm},
	{0},
};

#define TEXT_LINK(name, text) \
	{name, S_IFLNK | 0777, 0, .link_text = fixed_text, .iop = &proc_textlink_iops, \
	 .data = (uint64_t)(uintptr_t)(text)}
const struct proc_entry proc_global_table[] = {
	{"cgroups", S_IFREG | 0444, 0, show_cgroups},
	{"cmdline", S_IFREG | 0444, 0, show_cmdline},
	{"cpuinfo", S_IFREG | 0444, 0, show_cpuinfo},
	{"devices", S_IFREG | 0444, 0, show_devices},
	{"diskstats", S_IFREG | 0444, 0, show_diskstats},
	{"filesystems", S_IFREG | 0444, 0, show_filesystems},
	{"interrupts", S_IFREG | 0444, 0, show_interrupts},
	{"loadavg", S_IFREG | 0444, 0, show_loadavg},
	{"meminfo", S_IFREG | 0444, 0, show_meminfo},
	{"misc", S_IFREG | 0444, 0, show_misc},
	{"modules", S_IFREG | 0444, 0, show_modules},
	TEXT_LINK("mounts", "self/mounts"),
	TEXT_LINK("net", "self/net"),
	{"partitions", S_IFREG | 0444, 0, show_partitions},
	{"self", S_IFLNK | 0777, 0, .link_text = self_text, .iop = &proc_textlink_iops},
	{"stat", S_IFREG | 0444, 0, show_stat},
	{"swaps", S_IFREG | 0444, 0, show_swaps},
	{"sys", S_IFDIR | 0555, 0, .iop = &proc_sys_iops, .fop = &proc_sys_fops},
	{"sysvipc", S_IFDIR | 0555, 0, .table = sysvipc_table},
	{"thread-self", S_IFLNK | 0777, 0, .link_text = self_text, .iop = &proc_textlink_iops, .data = 1},
	{"tty", S_IFDIR | 0555, 0, .table = tty_table},
	{"uptime", S_IFREG | 0444, 0, show_uptime},
	{"version", S_IFREG | 0444, 0, show_version},
	{"vmstat", S_IFREG | 0444, 0, show_vmstat},
	{0},
};
