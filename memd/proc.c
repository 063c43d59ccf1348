/* The table of the sandbox's processes, their reaping, and their /proc files. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include "common/log/log.h"
#include "memd/memd.h"

static struct list *pid_head(struct memd *m, pid_t pid)
{
	return &m->by_pid[(uint32_t)pid % PROC_HASH];
}

struct proc *proc_new(struct memd *m, pid_t pid, enum proc_kind kind)
{
	struct proc *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->id = ++m->next_id;
	p->pid = pid;
	p->kind = kind;
	list_init(&p->orders);
	list_add_tail(&m->procs, &p->node);
	list_add(pid_head(m, pid), &p->pid_node);
	list_add(&m->by_id[p->id % PROC_HASH], &p->id_node);
	m->proc_count++;
	return p;
}

void proc_free(struct memd *m, struct proc *p)
{
	struct map_order *o, *tmp;

	if (!p)
		return;
	LIST_FOR_EACH_SAFE(o, tmp, &p->orders, proc_node)
		order_free_map(o);
	list_del(&p->node);
	list_del(&p->pid_node);
	list_del(&p->id_node);
	slots_free(p->slots);
	m->proc_count--;
	free(p);
}

struct proc *proc_by_pid(struct memd *m, pid_t pid)
{
	struct proc *p;

	LIST_FOR_EACH(p, pid_head(m, pid), pid_node)
		if (p->pid == pid)
			return p;
	return NULL;
}

struct proc *proc_by_id(struct memd *m, uint64_t id)
{
	struct proc *p;

	LIST_FOR_EACH(p, &m->by_id[id % PROC_HASH], id_node)
		if (p->id == id)
			return p;
	return NULL;
}

bool proc_has_thread(struct memd *m, const struct proc *p, pid_t tid)
{
	char path[64];

	if (p->pid == tid)
		return true;
	if (m->proc_fd < 0)
		return false;
	snprintf(path, sizeof(path), "%d/task/%d", p->pid, tid);
	CLEANUP_CLOSE int fd = openat(m->proc_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0;
}

struct proc *proc_by_tid(struct memd *m, pid_t tid)
{
	struct proc *p = proc_by_pid(m, tid);
	char buf[512], path[64];
	const char *s;

	if (p || m->proc_fd < 0)
		return p;
	snprintf(path, sizeof(path), "%d/status", tid);
	CLEANUP_CLOSE int fd = openat(m->proc_fd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	/* The name of a guest process is memd's own choice, so the first line can hold nothing forged. */
	s = strstr(buf, "\nTgid:");
	return s ? proc_by_pid(m, (pid_t)strtol(s + 6, NULL, 10)) : NULL;
}

void proc_reap(struct memd *m)
{
	for (;;) {
		siginfo_t si = {0};

		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG) < 0 || si.si_pid == 0)
			return;
		struct proc *p = proc_by_pid(m, si.si_pid);
		int status = si.si_code == CLD_EXITED ? (si.si_status & 0xff) << 8 : si.si_status & 0x7f;

		m->stat.deaths++;
		if (!p)
			continue;
		bool unordered = si.si_code != CLD_EXITED && !p->kill_ordered;

		if (p->kind == PROC_ZYGOTE) {
			log_error("the zygote died (status 0x%x): no new programs can be started", status);
			m->zygote = NULL;
			m->zygote_busy = false;
		} else {
			if (!unordered || !memd_may_log(m))
				; /* nothing to say */
			else if (si.si_status == SIGKILL)
				log_warn("guest process %d was killed by the host, likely out of memory",
					 si.si_pid);
			else
				log_warn("guest process %d died of host signal %d", si.si_pid, si.si_status);
			if (p->kind == PROC_BLANK && m->blank_count) {
				m->blank_count--;
				m->refill_at_ns = mono_ns() + 100000000ull;
			}
			struct memd_msg msg = {.kind = MEMD_DIED, .id = p->id, .value = (uint64_t)status,
					       .what = unordered};

			if (p->slots && !p->forked) {
				msg.object = p->slots->id;
				msg.value2 = slots_size(p->slots);
				slots_grant(m, STEAL_PTR(p->slots));
			}
			/* What sysd ordered itself it need not be woken for; nor, for a moment after a fork, for an end whose
			 * order may be on its way. */
			bool soon = si.si_code == CLD_EXITED && mono_ns() < m->hush_until_ns;

			m->untold |= soon;
			if (p->kill_ordered || soon)
				memd_send_quiet(m, &msg);
			else
				memd_send(m, &msg);
		}
		proc_free(m, p);
	}
}

/* A child that was cloned and never asked for its slots (its parent overwrote the runtime, say) is no
 * process of anybody's. Found among all of this pid namespace, as it is rare. */
void proc_kill_strays(struct memd *m)
{
	struct fork_order *o;
	struct dirent *d;
	DIR *dir;

	LIST_FOR_EACH(o, &m->fork_orders, node)
		if (o->cloned)
			return; /* its child may be one that has not spoken yet: next time */
	m->strays = false;
	CLEANUP_CLOSE int fd = openat(m->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir)
		return;
	STEAL_FD(fd);
	while ((d = readdir(dir))) {
		pid_t pid = (pid_t)strtol(d->d_name, NULL, 10);
		siginfo_t si;

		if (pid <= 0 || proc_by_pid(m, pid))
			continue;
		if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0) {
			if (memd_may_log(m))
				log_warn("ending stray process %d", pid);
			kill(pid, SIGKILL);
		}
	}
	closedir(dir);
}

void proc_kill_all(struct memd *m)
{
	struct proc *p;

	LIST_FOR_EACH(p, &m->procs, node) {
		p->kill_ordered = true;
		kill(p->pid, SIGKILL);
	}
}

int proc_open_file(struct memd *m, const struct proc *p, enum memd_open what)
{
	static const char *const names[] = {
		[MEMD_OPEN_MAPS] = "maps",
		[MEMD_OPEN_SMAPS] = "smaps",
		[MEMD_OPEN_STATUS] = "status",
		[MEMD_OPEN_STAT] = "stat",
	};
	char path[64];

	if (what >= ARRAY_SIZE(names) || !names[what])
		return -EINVAL;
	if (m->proc_fd < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "%d/%s", p->pid, names[what]);
	int fd = openat(m->proc_fd, path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
