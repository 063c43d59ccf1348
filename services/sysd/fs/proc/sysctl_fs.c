/* /proc/sys: a tree made from a sorted list of paths. Values live in sys/sysctl.c, where the calls that
 * obey them read them; settings of subsystems that the host keeps are plain values of this file. What
 * stands below net/ is netd's (net/netfiles.h): its names are asked for when somebody looks. */
#include <linux/capability.h>
#include <search.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/fs/proc/proc.h"
#include "services/sysd/net/netfiles.h"
#include "services/sysd/sys/kinfo.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"

struct ctl {
	const char *path;
	uint16_t mode;
	uint8_t count;   /* of integers in data */
	int64_t *data;
	int64_t min, max;
	int (*show)(struct seqbuf *s, struct task *t);
	int (*store)(struct task *t, char *text);
	bool net;        /* netd's */
};

static int show_text(struct seqbuf *s, const char *text)
{
	seq_printf(s, "%s\n", text);
	return 0;
}

static int show_hostname(struct seqbuf *s, struct task *t)
{
	return show_text(s, t->ns->uts->hostname);
}

static int show_domainname(struct seqbuf *s, struct task *t)
{
	return show_text(s, t->ns->uts->domainname[0] ? t->ns->uts->domainname : "(none)");
}

static int store_name(struct task *t, char *name, char *text)
{
	size_t n = strcspn(text, "\n");

	if (!capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	if (n > 64)
		return -EINVAL;
	memset(name, 0, 65);
	memcpy(name, text, n);
	return 0;
}

static int store_hostname(struct task *t, char *text)
{
	return store_name(t, t->ns->uts->hostname, text);
}

static int store_domainname(struct task *t, char *text)
{
	return store_name(t, t->ns->uts->domainname, text);
}

static int show_ostype(struct seqbuf *s, struct task *t)
{
	return show_text(s, KINFO_SYSNAME);
}

static int show_osrelease(struct seqbuf *s, struct task *t)
{
	return show_text(s, KINFO_RELEASE);
}

static int show_version(struct seqbuf *s, struct task *t)
{
	return show_text(s, KINFO_VERSION);
}

static int show_core_pattern(struct seqbuf *s, struct task *t)
{
	return show_text(s, sysctl_core_pattern);
}

static int store_core_pattern(struct task *t, char *text)
{
	text[strcspn(text, "\n")] = 0;
	if (strlen(text) >= sizeof(sysctl_core_pattern))
		return -EINVAL;
	strcpy(sysctl_core_pattern, text);
	return 0;
}

static int show_uuid_bytes(struct seqbuf *s, const uint64_t id[2])
{
	uint8_t b[16];

	memcpy(b, id, 16);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 4122: version 4 */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++)
		seq_printf(s, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
	seq_putc(s, '\n');
	return 0;
}

static int show_uuid(struct seqbuf *s, struct task *t)
{
	uint64_t id[2];

	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return -EIO;
	return show_uuid_bytes(s, id);
}

static int show_boot_id(struct seqbuf *s, struct task *t)
{
	return show_uuid_bytes(s, kinfo_host.boot_id);
}

static int show_file_nr(struct seqbuf *s, struct task *t)
{
	unsigned long long used = 0;
	struct signal *sig;

	/* descriptors, which is what programs that watch this figure run out of */
	LIST_FOR_EACH (sig, signal_all(), all_node) {
		const struct fdtable *ft = sig->leader ? sig->leader->files : NULL;

		for (int fd = ft ? fdtable_next(ft, 0) : -1; fd >= 0; fd = fdtable_next(ft, fd + 1))
			used++;
	}
	seq_printf(s, "%llu\t0\t%lld\n", used, (long long)sysctl_file_max);
	return 0;
}

static int64_t entropy_avail = 256, poolsize = 256, ngroups_max = 65536,
	cap_last_cap = CAP_LAST_CAP, overflowuid = 65534, overflowgid = 65534, one = 1,
	swappiness = 60, dirty_ratio = 20, dirty_background_ratio = 10, mmap_min_addr = 65536,
	vfs_cache_pressure = 100, nr_hugepages = 0, panic_on_oom = 0, oom_kill_alloc = 0,
	sysrq = 16, tainted = 0, perf_paranoid = 3, kptr_restrict = 1,
	min_free_kbytes = 16384, admin_reserve = 8192, sched_autogroup = 0, mount_max = 100000,
	dentry_state[6] = {0, 0, 45, 0, 0, 0}, inode_nr[2], inode_state[7], numa_balancing = 0,
	max_user_ns = 0, sched_rt[2] = {1000000, 950000}, unix_dgram_qlen = 10, ctrl_alt_del = 0,
	bpf_disabled = 2, legacy_va = 0, memfd_noexec = 0,
	hugepage_overcommit = 0, core_uses_pid = 0, page_cluster = 3, watermark = 10, panic = 0;

#define INT_(p, md, var, lo, hi) {.path = p, .mode = md, .count = 1, .data = &(var), .min = lo, .max = hi}
#define RW(p, var, lo, hi) INT_(p, 0644, var, lo, hi)
#define RO(p, var) INT_(p, 0444, var, 0, 0)
#define VEC(p, md, arr, lo, hi) \
	{.path = p, .mode = md, .count = ARRAY_SIZE(arr), .data = arr, .min = lo, .max = hi}
#define FN(p, md, sh, st) {.path = p, .mode = md, .show = sh, .store = st}
#define BIG INT64_MAX
#define I32 INT32_MAX

/* Sorted, so that one directory's names stand together. */
static const struct ctl ctls[] = {
	RW("fs/aio-max-nr", sysctl_aio_max_nr, 0, BIG),
	RO("fs/aio-nr", sysctl_aio_nr),
	VEC("fs/dentry-state", 0444, dentry_state, 0, 0),
	RW("fs/dir-notify-enable", sysctl_dir_notify_enable, 0, 1),
	RW("fs/epoll/max_user_watches", sysctl_epoll_max_user_watches, 0, BIG),
	RW("fs/file-max", sysctl_file_max, 0, BIG),
	FN("fs/file-nr", 0444, show_file_nr, NULL),
	VEC("fs/inode-nr", 0444, inode_nr, 0, 0),
	VEC("fs/inode-state", 0444, inode_state, 0, 0),
	RW("fs/inotify/max_queued_events", sysctl_inotify_max_events, 0, I32),
	RW("fs/inotify/max_user_instances", sysctl_inotify_max_instances, 0, I32),
	RW("fs/inotify/max_user_watches", sysctl_inotify_max_watches, 0, I32),
	RW("fs/lease-break-time", sysctl_lease_break_time, 0, I32),
	RW("fs/leases-enable", one, 0, 1),
	RW("fs/mount-max", mount_max, 1, I32),
	RW("fs/mqueue/msg_default", sysctl_mq_msg_default, 1, 65536),
	RW("fs/mqueue/msg_max", sysctl_mq_msg_max, 1, 65536),
	RW("fs/mqueue/msgsize_default", sysctl_mq_msgsize_default, 128, 16777216),
	RW("fs/mqueue/msgsize_max", sysctl_mq_msgsize_max, 128, 16777216),
	RW("fs/mqueue/queues_max", sysctl_mq_queues_max, 0, I32),
	RW("fs/nr_open", sysctl_nr_open, 64, 2147483584),
	RO("fs/overflowgid", overflowgid),
	RO("fs/overflowuid", overflowuid),
	RW("fs/pipe-max-size", sysctl_pipe_max_size, 4096, I32),
	RW("fs/pipe-user-pages-hard", sysctl_pipe_user_pages_hard, 0, BIG),
	RW("fs/pipe-user-pages-soft", sysctl_pipe_user_pages_soft, 0, BIG),
	RW("fs/protected_fifos", sysctl_protected_fifos, 0, 2),
	RW("fs/protected_hardlinks", sysctl_protected_hardlinks, 0, 1),
	RW("fs/protected_regular", sysctl_protected_regular, 0, 2),
	RW("fs/protected_symlinks", sysctl_protected_symlinks, 0, 1),
	RW("fs/suid_dumpable", sysctl_suid_dumpable, 0, 2),
	RO("kernel/cap_last_cap", cap_last_cap),
	FN("kernel/core_pattern", 0644, show_core_pattern, store_core_pattern),
	RW("kernel/core_uses_pid", core_uses_pid, 0, 1),
	RW("kernel/ctrl-alt-del", ctrl_alt_del, 0, 1),
	RW("kernel/dmesg_restrict", sysctl_dmesg_restrict, 0, 1),
	FN("kernel/domainname", 0644, show_domainname, store_domainname),
	FN("kernel/hostname", 0644, show_hostname, store_hostname),
	RW("kernel/kptr_restrict", kptr_restrict, 0, 2),
	RW("kernel/msgmax", sysctl_msgmax, 0, I32),
	RW("kernel/msgmnb", sysctl_msgmnb, 0, I32),
	RW("kernel/msgmni", sysctl_msgmni, 0, 32768),
	RO("kernel/ngroups_max", ngroups_max),
	RW("kernel/numa_balancing", numa_balancing, 0, 1),
	FN("kernel/osrelease", 0444, show_osrelease, NULL),
	FN("kernel/ostype", 0444, show_ostype, NULL),
	RO("kernel/overflowgid", overflowgid),
	RO("kernel/overflowuid", overflowuid),
	RW("kernel/panic", panic, INT32_MIN, I32),
	RW("kernel/perf_event_paranoid", perf_paranoid, -1, 4),
	RW("kernel/pid_max", sysctl_pid_max, 301, SYSCTL_PID_MAX_LIMIT),
	VEC("kernel/printk", 0644, sysctl_printk, 0, 15),
	RW("kernel/pty/max", sysctl_pty_max, 0, 1048576),
	RO("kernel/pty/nr", sysctl_pty_nr),
	FN("kernel/random/boot_id", 0444, show_boot_id, NULL),
	RO("kernel/random/entropy_avail", entropy_avail),
	RO("kernel/random/poolsize", poolsize),
	FN("kernel/random/uuid", 0444, show_uuid, NULL),
	RW("kernel/randomize_va_space", sysctl_randomize_va_space, 0, 2),
	RW("kernel/sched_autogroup_enabled", sched_autogroup, 0, 1),
	INT_("kernel/sched_rt_period_us", 0644, sched_rt[0], 1, I32),
	INT_("kernel/sched_rt_runtime_us", 0644, sched_rt[1], -1, I32),
	VEC("kernel/sem", 0644, sysctl_sem, 0, I32),
	RW("kernel/shm_rmid_forced", sysctl_shm_rmid_forced, 0, 1),
	RW("kernel/shmall", sysctl_shmall, 0, BIG),
	RW("kernel/shmmax", sysctl_shmmax, 0, BIG),
	RW("kernel/shmmni", sysctl_shmmni, 0, 32768),
	RW("kernel/sysrq", sysrq, 0, 511),
	RO("kernel/tainted", tainted),
	RW("kernel/threads-max", sysctl_threads_max, 1, I32),
	RW("kernel/unprivileged_bpf_disabled", bpf_disabled, 0, 2),
	FN("kernel/version", 0444, show_version, NULL),
	RW("kernel/yama/ptrace_scope", sysctl_yama_ptrace_scope, 0, 3),
	RW("net/unix/max_dgram_qlen", unix_dgram_qlen, 0, I32),
	RW("user/max_user_namespaces", max_user_ns, 0, I32),
	RW("vm/admin_reserve_kbytes", admin_reserve, 0, BIG),
	RW("vm/dirty_background_ratio", dirty_background_ratio, 0, 100),
	RW("vm/dirty_ratio", dirty_ratio, 0, 100),
	RW("vm/legacy_va_layout", legacy_va, 0, 1),
	RW("vm/max_map_count", sysctl_max_map_count, 0, I32),
	RW("vm/memfd_noexec", memfd_noexec, 0, 2),
	RW("vm/min_free_kbytes", min_free_kbytes, 0, I32),
	RW("vm/mmap_min_addr", mmap_min_addr, 0, BIG),
	RW("vm/nr_hugepages", nr_hugepages, 0, 0),
	RW("vm/nr_overcommit_hugepages", hugepage_overcommit, 0, BIG),
	RW("vm/oom_kill_allocating_task", oom_kill_alloc, 0, 1),
	RW("vm/overcommit_memory", sysctl_overcommit_memory, 0, 2),
	RW("vm/overcommit_ratio", sysctl_overcommit_ratio, 0, 100),
	RW("vm/page-cluster", page_cluster, 0, 31),
	RW("vm/panic_on_oom", panic_on_oom, 0, 2),
	RW("vm/swappiness", swappiness, 0, 200),
	RW("vm/vfs_cache_pressure", vfs_cache_pressure, 0, I32),
	RW("vm/watermark_scale_factor", watermark, 1, 3000),
};

/* ---- names -------------------------------------------------------------------------------- */

#define NET_PREFIX 4 /* "net/" */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct ctl *)a)->path, ((const struct ctl *)b)->path);
}

static int by_pointed_path(const void *a, const void *b)
{
	return by_path(*(const struct ctl *const *)a, *(const struct ctl *const *)b);
}

/* The entry for a name of netd's. Inodes refer to entries, so each that was ever seen stays. */
static const struct ctl *intern_net(const char *name, size_t size)
{
	static void *tree;
	bool read_only = size > 9 && strncmp(name + size - 9, "available", 9) == 0;
	CLEANUP_FREE char *path = NULL;
	CLEANUP_FREE struct ctl *c = calloc(1, sizeof(*c));
	struct ctl **found;

	if (!c || asprintf(&path, "net/%.*s", (int)size, name) < 0) {
		path = NULL;
		return NULL;
	}
	*c = (struct ctl){.path = path, .mode = read_only ? 0444 : 0644, .net = true};
	found = tsearch(c, &tree, by_path);
	if (found && *found == c) {
		path = NULL;
		return STEAL_PTR(c);
	}
	return found ? *found : NULL;
}

/* Everything that may stand below a directory, sorted: an array that the caller frees. Asks netd when the
 * directory is one of net/, so it may sleep. */
static const struct ctl **list_ctls(const char *prefix, size_t *ret_count)
{
	struct task *cur = current_task();
	CLEANUP_FREE char *names = NULL;
	const struct ctl **list;
	size_t count = ARRAY_SIZE(ctls), more = 0;

	if (!strncmp(prefix, "net/", NET_PREFIX) && cur && !netfiles_sysctl_list(cur->ns->net, &names))
		for (const char *p = names; *p; p++)
			more += *p == '\n';
	list = calloc(count + more + 1, sizeof(*list));
	if (!list)
		return NULL;
	for (size_t i = 0; i < count; i++)
		list[i] = &ctls[i];
	for (const char *p = names; p && *p && more; more--) {
		size_t n = strcspn(p, "\n");
		const struct ctl *c = intern_net(p, n);

		if (c)
			list[count++] = c;
		p += n + (p[n] == '\n');
	}
	qsort(list, count, sizeof(*list), by_pointed_path);
	*ret_count = count;
	return list;
}

static int ctl_show(struct seqbuf *s, struct task *t, const struct proc_inode *pi)
{
	const struct ctl *c = pi->node;
	struct task *cur = current_task();

	if (c->net)
		return cur ? netfiles_sysctl_read(cur->ns->net, c->path + NET_PREFIX, s) : -EIO;
	if (c->show)
		return cur ? c->show(s, cur) : -EIO;
	for (int i = 0; i < c->count; i++)
		seq_printf(s, i ? "\t%lld" : "%lld", (long long)c->data[i]);
	seq_putc(s, '\n');
	return 0;
}

/* Settings of netd's that sysd obeys as well. */
static void mirror(const char *name, const char *text)
{
	static const struct {
		const char *name;
		int64_t *to;
		int count;
	} both[] = {
		{"core/somaxconn", &sysctl_somaxconn, 1},
		{"ipv4/ip_unprivileged_port_start", &sysctl_unpriv_port, 1},
		{"ipv4/ping_group_range", sysctl_ping_group, 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		char *end = (char *)text;

		if (strcmp(name, both[i].name) != 0)
			continue;
		for (int n = 0; n < both[i].count; n++)
			both[i].to[n] = strtoll(end, &end, 0);
	}
}

static ssize_t ctl_write(struct task *t, const struct proc_inode *pi, char *buf, size_t size)
{
	const struct ctl *c = pi->node;
	int64_t v[8];
	char *p = buf;
	int n = 0;

	if (!(c->mode & 0200))
		return -EPERM;
	if (c->net) {
		int err = netfiles_sysctl_write(current_task()->ns->net, c->path + NET_PREFIX, buf, size);

		if (!err)
			mirror(c->path + NET_PREFIX, buf);
		return err ? err : (ssize_t)size;
	}
	if (c->store) {
		int err = c->store(current_task(), buf);

		return err ? err : (ssize_t)size;
	}
	while (n < c->count) {
		char *end;

		p += strspn(p, " \t\n");
		if (!*p)
			break;
		errno = 0;
		v[n] = strtoll(p, &end, 0);
		if (end == p || errno || !strchr(" \t\n", *end) || v[n] < c->min || v[n] > c->max)
			return -EINVAL;
		p = end;
		n++;
	}
	if (!n)
		return -EINVAL;
	memcpy(c->data, v, (size_t)n * sizeof(*v));
	return (ssize_t)size;
}

static const struct proc_entry ctl_entries[] = {
	{"ctl", S_IFREG | 0444, 0, ctl_show, ctl_write},
	{"ctl", S_IFREG | 0644, 0, ctl_show, ctl_write},
	{"dir", S_IFDIR | 0555, 0, .iop = &proc_sys_iops, .fop = &proc_sys_fops},
};

/* The directory part of an inode: pi->node is its first entry, pi->fd the length (-1: the root). */
static const char *dir_prefix(const struct proc_inode *pi, size_t *ret_len)
{
	const struct ctl *c = pi->node;

	*ret_len = c ? (size_t)pi->fd : 0;
	return c ? c->path : "";
}

static int sys_lookup(struct inode *dir, struct dentry *dentry)
{
	size_t len, name_len = dentry->name_size, count = 0;
	const char *prefix = dir_prefix(proc_i(dir), &len);
	CLEANUP_FREE const struct ctl **list = list_ctls(prefix, &count);

	for (size_t i = 0; list && i < count; i++) {
		const char *p = list[i]->path;
		const struct proc_entry *e;
		struct inode *inode;
		char after;

		if (strncmp(p, prefix, len) || strncmp(p + len, dentry->name, name_len))
			continue;
		after = p[len + name_len];
		if (after != '/' && after)
			continue;
		e = after ? &ctl_entries[2] : &ctl_entries[list[i]->mode == 0644];
		inode = proc_inode_new(dir->sb, e, NULL);
		if (!inode)
			return -ENOMEM;
		proc_i(inode)->node = list[i];
		proc_i(inode)->fd = (int)(len + name_len + 1);
		inode->ino = proc_ino(0, 0, list[i], (int64_t)(len + name_len));
		d_instantiate(dentry, inode);
		return 0;
	}
	return list ? -ENOENT : -ENOMEM;
}

static int sys_iterate(struct file *file, struct dir_context *ctx)
{
	size_t len, last_len = 0, count = 0;
	const char *prefix = dir_prefix(proc_i(file->inode), &len), *last = NULL;
	CLEANUP_FREE const struct ctl **list = NULL;

	if (!proc_emit_dots(file, ctx))
		return 0;
	list = list_ctls(prefix, &count);
	for (size_t i = 0; list && i < count; i++) {
		const char *p = list[i]->path;
		char name[64];
		size_t n;

		if (strncmp(p, prefix, len))
			continue;
		n = strcspn(p + len, "/");
		if (last && n == last_len && !strncmp(p + len, last, n))
			continue;
		last = p + len;
		last_len = n;
		if ((int64_t)i + 2 < file->pos)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)n, p + len);
		if (!proc_emit(file, ctx, name, (int64_t)i + 3, proc_ino(0, 0, list[i], (int64_t)(len + n)),
			       p[len + n] ? S_IFDIR : S_IFREG))
			break;
	}
	return list ? 0 : -ENOMEM;
}

static int sys_getattr(struct inode *inode)
{
	return 0;
}

static int sys_setattr(struct dentry *dentry, const struct inode_attr *attr)
{
	return -EPERM;
}

static int64_t sys_llseek(struct file *file, int64_t off, int whence)
{
	return proc_table_fops.llseek(file, off, whence);
}

const struct inode_ops proc_sys_iops = {
	.lookup = sys_lookup, .getattr = sys_getattr, .setattr = sys_setattr};
const struct file_ops proc_sys_fops = {.iterate = sys_iterate, .llseek = sys_llseek};
