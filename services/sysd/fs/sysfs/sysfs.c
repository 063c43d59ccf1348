/* sysfs, as programs read it: processors, one memory node, huge page settings, and the directories
 * that are looked for. There is no device behind it. */
#include <stdio.h>
#include "common/base/util.h"
#include "services/sysd/fs/proc/seqbuf.h"
#include "services/sysd/fs/sysfs/net.h"
#include "services/sysd/fs/sysfs/tree.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/sys/kinfo.h"
#include "services/sysd/vfs/inode.h"

#define SYSFS_MAGIC 0x62656572

static struct tree_node *root;

static int show_range(struct seqbuf *s, const struct tree_node *n)
{
	if (kinfo_host.cpu_count == 1)
		seq_puts(s, "0\n");
	else
		seq_printf(s, "0-%u\n", kinfo_host.cpu_count - 1);
	return 0;
}

/* A mask of all CPUs, or of one (data - 1). */
static int show_mask(struct seqbuf *s, const struct tree_node *n)
{
	unsigned count = kinfo_host.cpu_count;
	int words = (int)(count + 31) / 32;

	for (int w = words - 1; w >= 0; w--) {
		unsigned left = count - (unsigned)w * 32;
		uint32_t v = left >= 32 ? UINT32_MAX : (1u << left) - 1;

		if (n->data)
			v = (n->data - 1) / 32 == (unsigned)w ? 1u << ((n->data - 1) % 32) : 0;
		seq_printf(s, left < 32 ? "%0*x" : "%08x", left < 32 ? (int)(left + 3) / 4 : (int)v, v);
		seq_puts(s, w ? "," : "\n");
	}
	return 0;
}

static int show_number(struct seqbuf *s, const struct tree_node *n)
{
	seq_printf(s, "%llu\n", (unsigned long long)n->data);
	return 0;
}

static int show_node_meminfo(struct seqbuf *s, const struct tree_node *n)
{
	struct kinfo_mem mem;

	kinfo_mem(&mem);
	seq_printf(s, "Node 0 MemTotal:       %8llu kB\nNode 0 MemFree:        %8llu kB\nNode 0 MemUsed:        %8llu kB\n",
		   (unsigned long long)mem.total / 1024, (unsigned long long)mem.free / 1024,
		   (unsigned long long)(mem.total - mem.free) / 1024);
	return 0;
}

static void add_cpus(void)
{
	static const char base[] = "devices/system/cpu";
	char path[96];

	tree_file(root, "devices/system/cpu/online", show_range, 0);
	tree_file(root, "devices/system/cpu/possible", show_range, 0);
	tree_file(root, "devices/system/cpu/present", show_range, 0);
	tree_text(root, "devices/system/cpu/offline", "\n");
	tree_text(root, "devices/system/cpu/isolated", "\n");
	tree_file(root, "devices/system/cpu/kernel_max", show_number, KINFO_CPUS_MAX - 1);
	tree_text(root, "devices/system/cpu/smt/active", "0\n");
	tree_text(root, "devices/system/cpu/smt/control", "notsupported\n");
	for (unsigned cpu = 0; cpu < kinfo_host.cpu_count; cpu++) {
		static const char *const one[] = {"thread_siblings", "core_cpus"};
		static const char *const all[] = {"core_siblings", "package_cpus", "die_cpus"};

		if (cpu) {
			snprintf(path, sizeof(path), "%s/cpu%u/online", base, cpu);
			tree_text(root, path, "1\n");
		}
		snprintf(path, sizeof(path), "%s/cpu%u/topology/core_id", base, cpu);
		tree_file(root, path, show_number, cpu);
		snprintf(path, sizeof(path), "%s/cpu%u/topology/physical_package_id", base, cpu);
		tree_file(root, path, show_number, 0);
		snprintf(path, sizeof(path), "%s/cpu%u/topology/die_id", base, cpu);
		tree_file(root, path, show_number, 0);
		for (size_t i = 0; i < ARRAY_SIZE(one); i++) {
			snprintf(path, sizeof(path), "%s/cpu%u/topology/%s", base, cpu, one[i]);
			tree_file(root, path, show_mask, cpu + 1);
			snprintf(path, sizeof(path), "%s/cpu%u/topology/%s_list", base, cpu, one[i]);
			tree_file(root, path, show_number, cpu);
		}
		for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
			snprintf(path, sizeof(path), "%s/cpu%u/topology/%s", base, cpu, all[i]);
			tree_file(root, path, show_mask, 0);
			snprintf(path, sizeof(path), "%s/cpu%u/topology/%s_list", base, cpu, all[i]);
			tree_file(root, path, show_range, 0);
		}
	}
}

static void add_memory_node(void)
{
	tree_text(root, "devices/system/node/online", "0\n");
	tree_text(root, "devices/system/node/possible", "0\n");
	tree_text(root, "devices/system/node/has_cpu", "0\n");
	tree_text(root, "devices/system/node/has_memory", "0\n");
	tree_file(root, "devices/system/node/node0/cpulist", show_range, 0);
	tree_file(root, "devices/system/node/node0/cpumap", show_mask, 0);
	tree_file(root, "devices/system/node/node0/meminfo", show_node_meminfo, 0);
	tree_text(root, "devices/system/node/node0/distance", "10\n");
}

static int sysfs_mount(const struct fs_type *type, const char *source, const char *data,
		       unsigned sb_flags, struct super_block **ret_sb)
{
	static const char *const dirs[] = {
		"block", "bus", "class/net", "class/block", "class/tty", "dev/block", "dev/char", "devices/virtual",
		"firmware", "fs/cgroup", "hypervisor", "kernel/debug", "kernel/security", "kernel/tracing",
		"module", "power",
	};

	if (!root) {
		root = tree_new();
		for (size_t i = 0; root && i < ARRAY_SIZE(dirs); i++)
			tree_dir(root, dirs[i]);
		if (root) {
			add_cpus();
			add_memory_node();
			tree_text(root, "kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
			tree_text(root, "kernel/mm/transparent_hugepage/defrag",
				  "always defer defer+madvise [madvise] never\n");
			tree_text(root, "kernel/mm/transparent_hugepage/shmem_enabled",
				  "always within_size advise [never] deny force\n");
			tree_text(root, "kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152\n");
			tree_text(root, "kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0\n");
			tree_text(root, "kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0\n");
		}
	}
	if (root)
		sysfs_add_net(root, net_ns_initial());
	return tree_mount(type, root, SYSFS_MAGIC, sb_flags, ret_sb);
}

static struct fs_type sysfs_type = {.name = "sysfs", .nodev = true, .mount = sysfs_mount};

void cgroup_fs_init(void);

void sysfs_init(void)
{
	fs_type_register(&sysfs_type);
	cgroup_fs_init();
}
