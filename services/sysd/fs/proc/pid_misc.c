/* Small files of /proc/PID: limits, comm, oom settings, cgroup and the like. */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/abi/clone.h"
#include "services/sysd/fs/nsfs/nsfs.h"
#include "services/sysd/fs/proc/pid_misc.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/sys/kinfo.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/ptrace.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/cputime.h"
#include "services/sysd/time/posix_timer.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/mount.h"

PROC_SHOW(proc_show_personality)
{
	seq_printf(s, "%08x\n", t->personality);
	return 0;
}

PROC_SHOW(proc_show_limits)
{
	static const struct {
		const char *name, *unit;
	} row[RLIM_NLIMITS] = {
		[RLIMIT_CPU] = {"Max cpu time", "seconds"},
		[RLIMIT_FSIZE] = {"Max file size", "bytes"},
		[RLIMIT_DATA] = {"Max data size", "bytes"},
		[RLIMIT_STACK] = {"Max stack size", "bytes"},
		[RLIMIT_CORE] = {"Max core file size", "bytes"},
		[RLIMIT_RSS] = {"Max resident set", "bytes"},
		[RLIMIT_NPROC] = {"Max processes", "processes"},
		[RLIMIT_NOFILE] = {"Max open files", "files"},
		[RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
		[RLIMIT_AS] = {"Max address space", "bytes"},
		[RLIMIT_LOCKS] = {"Max file locks", "locks"},
		[RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
		[RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
		[RLIMIT_NICE] = {"Max nice priority", NULL},
		[RLIMIT_RTPRIO] = {"Max realtime priority", NULL},
		[RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
	};

	seq_printf(s, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		char soft[24] = "unlimited", hard[24] = "unlimited";
		const struct rlimit64 *r = &t->signal->rlim[i];

		if (r->rlim_cur != RLIM64_INFINITY)
			snprintf(soft, sizeof(soft), "%llu", (unsigned long long)r->rlim_cur);
		if (r->rlim_max != RLIM64_INFINITY)
			snprintf(hard, sizeof(hard), "%llu", (unsigned long long)r->rlim_max);
		if (row[i].unit)
			seq_printf(s, "%-25s %-20s %-20s %-10s\n", row[i].name, soft, hard, row[i].unit);
		else
			seq_printf(s, "%-25s %-20s %-20s           \n", row[i].name, soft, hard);
	}
	return 0;
}

PROC_SHOW(proc_show_comm)
{
	seq_printf(s, "%.15s\n", t->comm);
	return 0;
}

PROC_WRITE(proc_write_comm)
{
	struct task *cur = current_task();
	size_t n = MIN(size, (size_t)TASK_COMM_SIZE - 1);

	if (!cur || cur->signal != t->signal)
		return -EINVAL;
	memset(t->comm, 0, sizeof(t->comm));
	memcpy(t->comm, buf, strnlen(buf, n));
	return (ssize_t)size;
}

PROC_SHOW(proc_show_syscall)
{
	if (t->nr < 0 || !t->ht) {
		seq_puts(s, t->state == TASK_RUNNING ? "running\n" : "-1 0x0 0x0\n");
		return 0;
	}
	seq_printf(s, "%lld", (long long)t->nr);
	for (int i = 0; i < 6; i++)
		seq_printf(s, " 0x%llx", (unsigned long long)t->args[i]);
	seq_printf(s, " 0x%llx 0x%llx\n", (unsigned long long)t->ht->regs.rsp,
		   (unsigned long long)t->ht->regs.rip);
	return 0;
}

PROC_SHOW(proc_show_children)
{
	struct signal *child;
	struct task *cur = current_task();

	/* children belong to the group here: the leader shows them */
	if (t != t->signal->leader)
		return 0;
	LIST_FOR_EACH (child, &t->signal->children, sibling) {
		uint32_t pid = pids_pid_of(cur, child);

		if (pid)
			seq_printf(s, "%u ", pid);
	}
	return 0;
}

PROC_SHOW(proc_show_wchan)
{
	struct task *cur = current_task();

	seq_puts(s, t->wchan && cur && ptrace_may_look(cur, t) ? t->wchan : "0");
	return 0;
}

PROC_SHOW(proc_show_stack)
{
	struct task *cur = current_task();

	if (!cur || !capable(cur, CAP_SYS_ADMIN))
		return -EPERM;
	if (t->wchan)
		seq_printf(s, "[<0>] %s+0x0/0x0\n", t->wchan);
	return 0;
}

PROC_SHOW(proc_show_schedstat)
{
	uint64_t u, sys;

	cputime_thread(t, &u, &sys);
	seq_printf(s, "%llu 0 %llu\n", (unsigned long long)(u + sys),
		   (unsigned long long)(t->ht ? t->ht->stat_requests : 0));
	return 0;
}

/* One hierarchy, of which the sandbox sees its own root. */
PROC_SHOW(proc_show_cgroup)
{
	seq_puts(s, "0::/\n");
	return 0;
}

PROC_SHOW(proc_show_oom_score)
{
	struct kinfo_mem mem = {.total = kinfo_host.mem_total};
	struct mm_usage use = {0};
	int adj = t->signal->oom_score_adj;
	struct mm *mm = t->mm ? mm_ref(t->mm) : NULL;
	int64_t score = 0;

	if (mm) {
		mm_usage(mm, &use);
		mm_unref(mm);
	}
	/* badness of oom_kill.c: thousandths of memory, moved by adj, shown from 0 to 2000 */
	if (mem.total)
		score = (int64_t)(use.rss * 1000 / mem.total);
	score = (1000 + score + adj) * 2 / 3;
	seq_printf(s, "%lld\n", (long long)MAX(score, 0));
	return 0;
}

/* least: below it CAP_SYS_RESOURCE is needed. */
static ssize_t set_oom(struct task *t, int adj, int least, size_t size)
{
	struct task *cur = current_task();

	if (!cur)
		return -EPERM;
	if (adj < least && !capable(cur, CAP_SYS_RESOURCE))
		return -EACCES;
	t->signal->oom_score_adj = adj;
	return (ssize_t)size;
}

PROC_SHOW(proc_show_oom_score_adj)
{
	seq_printf(s, "%d\n", t->signal->oom_score_adj);
	return 0;
}

PROC_WRITE(proc_write_oom_score_adj)
{
	ssize_t ret;
	int64_t v;

	if (proc_parse_int(buf, -1000, 1000, &v))
		return -EINVAL;
	ret = set_oom(t, (int)v, t->signal->oom_score_adj_min, size);
	/* what a holder of the capability sets is the least from then on; oom_adj knows nothing of that */
	if (ret >= 0 && capable(current_task(), CAP_SYS_RESOURCE))
		t->signal->oom_score_adj_min = (int)v;
	return ret;
}

PROC_SHOW(proc_show_oom_adj)
{
	int adj = t->signal->oom_score_adj;

	seq_printf(s, "%d\n", adj == 1000 ? 15 : adj * 17 / 1000);
	return 0;
}

PROC_WRITE(proc_write_oom_adj)
{
	int64_t v;

	if (proc_parse_int(buf, -17, 15, &v))
		return -EINVAL;
	return set_oom(t, v == 15 ? 1000 : (int)v * 1000 / 17, t->signal->oom_score_adj, size);
}

/* Who logged in, for audit: pam_loginuid sets it once for each session, its children inherit it. */
PROC_SHOW(proc_show_loginuid)
{
	seq_printf(s, "%u", t ? t->login - 1 : UINT32_MAX);
	return 0;
}

PROC_SHOW(proc_show_sessionid)
{
	seq_printf(s, "%u", t ? t->session - 1 : UINT32_MAX);
	return 0;
}

PROC_WRITE(proc_write_loginuid)
{
	static uint32_t sessions;
	struct task *cur = current_task();
	int64_t v;

	if (proc_parse_int(buf, 0, UINT32_MAX, &v))
		return -EINVAL;
	if (t != cur)
		return -EPERM;
	/* one that is set is changed only with the capability */
	if (t->login && !capable(t, CAP_AUDIT_CONTROL))
		return -EPERM;
	t->login = v == UINT32_MAX ? 0 : (uint32_t)v + 1;
	t->session = t->login ? ++sessions + 1 : 0;
	return (ssize_t)size;
}

PROC_SHOW(proc_show_id_map)
{
	seq_printf(s, "%10u %10u %10u\n", 0u, 0u, 4294967295u);
	return 0;
}

/* The first user namespace's map is fixed. */
PROC_WRITE(proc_write_id_map)
{
	return -EPERM;
}

PROC_SHOW(proc_show_setgroups)
{
	seq_puts(s, "allow\n");
	return 0;
}

PROC_WRITE(proc_write_clear_refs)
{
	int64_t v;

	if (proc_parse_int(buf, 1, 5, &v))
		return -EINVAL;
	return (ssize_t)size;
}

PROC_SHOW(proc_show_timers)
{
	char *buf = malloc(65536);

	if (!buf)
		return -ENOMEM;
	seq_write(s, buf, (size_t)posix_timers_show(t->signal, buf, 65536));
	free(buf);
	return 0;
}

PROC_SHOW(proc_show_timerslack)
{
	seq_printf(s, "%llu\n", (unsigned long long)t->timer_slack_ns);
	return 0;
}

PROC_WRITE(proc_write_timerslack)
{
	int64_t v;
	struct task *cur = current_task();

	if (cur && cur->signal != t->signal && !capable(cur, CAP_SYS_NICE))
		return -EPERM;
	if (proc_parse_int(buf, 0, INT64_MAX, &v))
		return -EINVAL;
	t->timer_slack_ns = v ? (uint64_t)v : t->default_slack_ns;
	return (ssize_t)size;
}

/* ---- ns/ -------------------------------------------------------------------------------- */

enum ns_kind { NS_CGROUP, NS_IPC, NS_MNT, NS_NET, NS_PID, NS_PID_CHILD, NS_TIME, NS_USER, NS_UTS };
static const char *const ns_names[] = {"cgroup", "ipc", "mnt", "net", "pid", "pid", "time", "user", "uts"};

/* Numbers of the first namespaces, as Linux has them (include/linux/proc_ns.h). */
static uint64_t ns_id(const struct task *t, enum ns_kind kind)
{
	switch (kind) {
	case NS_CGROUP:
		return 0xeffffffbu;
	case NS_IPC:
		return t->ns->ipc ? proc_ns_number(t->ns->ipc, 0xefffffffu) : 0xefffffffu;
	case NS_MNT:
		return t->ns->mnt ? proc_ns_number(t->ns->mnt, 0xf0000000u) : 0xf0000000u;
	case NS_NET:
		return t->ns->net ? proc_ns_number(t->ns->net, 0xf0000001u) : 0xf0000001u;
	case NS_PID:
	case NS_PID_CHILD:
		return t->ns->pid ? proc_ns_number(t->ns->pid, 0xeffffffcu) : 0xeffffffcu;
	case NS_TIME:
		return 0xeffffffau;
	case NS_USER:
		return 0xeffffffdu;
	case NS_UTS:
		return t->ns->uts ? proc_ns_number(t->ns->uts, 0xeffffffeu) : 0xeffffffeu;
	}
	return 0;
}

/* The first namespace of each kind that is looked at is the sandbox's first and has Linux's number
 * for it; others get numbers in the order in which they are seen. */
uint64_t proc_ns_number(const void *ns, uint64_t first)
{
	static struct {
		const void *ns;
		uint64_t number, first;
	} seen[256];
	static unsigned count;
	bool had_first = false;

	for (unsigned i = 0; i < count; i++) {
		if (seen[i].first != first)
			continue;
		had_first = true;
		if (seen[i].ns == ns)
			return seen[i].number;
	}
	if (count == ARRAY_SIZE(seen))
		return 0xf0000100u + (uint32_t)((uintptr_t)ns >> 4) % 0x0ffffe00u;
	seen[count].ns = ns;
	seen[count].first = first;
	seen[count].number = had_first ? 0xf0000010u + count : first;
	return seen[count++].number;
}

/* The link leads to a nameless file whose inode number is the namespace's: what lsns and others
 * compare. */
static int ns_path(struct task *t, const struct proc_inode *pi, struct path *ret)
{
	static const uint64_t flags[] = {
		[NS_CGROUP] = ABI_CLONE_NEWCGROUP, [NS_IPC] = ABI_CLONE_NEWIPC, [NS_MNT] = ABI_CLONE_NEWNS,
		[NS_NET] = ABI_CLONE_NEWNET, [NS_PID] = ABI_CLONE_NEWPID, [NS_PID_CHILD] = ABI_CLONE_NEWPID,
		[NS_TIME] = ABI_CLONE_NEWTIME, [NS_USER] = ABI_CLONE_NEWUSER, [NS_UTS] = ABI_CLONE_NEWUTS,
	};
	enum ns_kind kind = (enum ns_kind)pi->entry->data;
	char buf[64];
	uint64_t id;

	if (!t->ns)
		return -ENOENT;
	id = ns_id(t, kind);
	snprintf(buf, sizeof(buf), "%s:[%llu]", ns_names[kind], (unsigned long long)id);
	return nsfs_path(buf, id, t->ns, flags[kind], ret);
}

#define NS(name, kind) {name, S_IFLNK | 0777, PROC_PTRACE, .link_path = ns_path, .data = kind}
const struct proc_entry proc_ns_table[] = {
	NS("cgroup", NS_CGROUP), NS("ipc", NS_IPC), NS("mnt", NS_MNT), NS("net", NS_NET), NS("pid", NS_PID),
	NS("pid_for_children", NS_PID_CHILD), NS("time", NS_TIME), NS("time_for_children", NS_TIME),
	NS("user", NS_USER), NS("uts", NS_UTS), {0},
};
