/* A service is cloned into its new namespaces at once, waits until its ids are mapped, prepares its
 * root and becomes its program. It keeps CAP_SYS_ADMIN in its own user namespace over exec (as an
 * ambient capability), because only after exec, with its libraries loaded, it can move into the empty
 * root; confine_enter drops it there.
 *
 * The child runs between clone and exec in a copy of a process with one thread; it writes why it failed
 * to its READY pipe, where the launcher reads it. */
#include "launcher/sandbox/spawn.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "common/base/util.h"
#include "common/ipc/startup.h"

#define EXEC_SLOT 40 /* above all descriptors of a service */

/* The sync descriptors of services that wait, in the launcher. */
static int waiting[8];
static size_t waiting_count;

static pid_t clone_into(uint64_t flags, int *pidfd)
{
	struct clone_args args = {
		.flags = flags | (pidfd ? CLONE_PIDFD : 0),
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static void die(const struct spawn *s, const char *what)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "%s: %s", what, strerror(errno));

	if (s->fds[SBX_FD_READY] >= 0 && write(s->fds[SBX_FD_READY], line, (size_t)n) < 0)
		_exit(2);
	_exit(1);
}

/* Its own mounts, from which nothing propagates, and the empty root as working directory. */
static void enter_jail(const struct spawn *s)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die(s, "making the mount namespace private");
	if (mount(s->jail, s->jail, NULL, MS_BIND, NULL) < 0)
		die(s, "bind mount of the empty root");
	if (chdir(s->jail) < 0)
		die(s, "entering the empty root");
	if (mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) < 0)
		die(s, "making the empty root read-only");
}

/* A mount of proc that shows processes only; where the host does not let us have one, a service
 * that needs it says so itself. */
static int mount_proc(void)
{
	int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC), m;

	if (fs < 0)
		return -1;
	syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "subset", "pid", 0);
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		close(fs);
		return -1;
	}
	m = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
			 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	close(fs);
	return m;
}

static void keep_ambient(const struct spawn *s)
{
	static const int caps[] = {CAP_SYS_ADMIN, CAP_SETPCAP};
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		die(s, "capget");
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++)
		data[0].inheritable |= 1u << caps[i];
	if (syscall(SYS_capset, &head, data) < 0)
		die(s, "capset");
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, caps[i], 0, 0) < 0)
			die(s, "ambient capabilities");
}

static void take_ids(const struct spawn *s)
{
	uid_t id = s->all_ids ? 0 : s->uid;

	if (!s->namespaces)
		return;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		die(s, "PR_SET_KEEPCAPS");
	if (setgroups(0, NULL) < 0)
		die(s, "setgroups");
	if (setresgid(id, id, id) < 0)
		die(s, "setresgid");
	if (setresuid(id, id, id) < 0)
		die(s, "setresuid");
	if (!s->all_ids)
		keep_ambient(s);
}

static void place_fds(struct spawn *s)
{
	for (int i = 0; i < SPAWN_FDS_MAX; i++) {
		if (s->fds[i] < 0)
			continue;
		s->fds[i] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, EXEC_SLOT + 1);
		if (s->fds[i] < 0)
			die(s, "moving descriptors");
	}
	if (s->exec_fd != EXEC_SLOT && dup3(s->exec_fd, EXEC_SLOT, O_CLOEXEC) < 0)
		die(s, "moving descriptors");
	for (int i = 0; i < SPAWN_FDS_MAX; i++) {
		if (s->fds[i] < 0)
			close(i);
		else if (dup2(s->fds[i], i) < 0)
			die(s, "moving descriptors");
	}
	s->fds[SBX_FD_READY] = SBX_FD_READY;
	for (int i = SPAWN_FDS_MAX; i < EXEC_SLOT; i++)
		close(i);
	syscall(SYS_close_range, EXEC_SLOT + 1, ~0u, 0);
}

static void become(struct spawn *s, int sync_fd) __attribute__((noreturn));
static void become(struct spawn *s, int sync_fd)
{
	const char *argv[ARRAY_SIZE(s->args) + 1];
	char name[32], *const envp[] = {NULL};
	size_t n = 0;
	sigset_t none;
	ssize_t got;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* the others' ends, or a launcher that dies now would not be seen by them */
	for (size_t i = 0; i < waiting_count; i++)
		close(waiting[i]);
	do {
		got = read(sync_fd, &c, 1);
	} while (got < 0 && errno == EINTR);
	if (got != 1)
		_exit(1);
	if (s->jail)
		enter_jail(s);
	if (s->proc_slot >= 0)
		s->fds[s->proc_slot] = s->namespaces ? mount_proc() : open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	take_ids(s);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of ids cleared it */
	place_fds(s);
	for (int sig = 1; sig < 65; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(name, sizeof(name), "sbx-%s", s->name);
	argv[n++] = name;
	for (size_t i = 0; s->args[i]; i++)
		argv[n++] = s->args[i];
	argv[n] = NULL;
	syscall(SYS_execveat, EXEC_SLOT, "", argv, envp, AT_EMPTY_PATH);
	die(s, "exec");
	__builtin_unreachable();
}

/* For a service that shares the user and pid namespaces of another: a helper enters them and makes it,
 * as our child. */
static pid_t clone_joined(struct spawn *s, const int sync[2])
{
	int report[2], status;
	pid_t helper, pid = -1;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -1;
	helper = clone_into(0, NULL);
	if (helper == 0) {
		if (syscall(SYS_setns, s->join_pidfd, CLONE_NEWUSER | CLONE_NEWPID) < 0)
			pid = -errno;
		else
			pid = clone_into(s->namespaces | CLONE_PARENT, NULL);
		if (pid == 0) {
			close(report[0]);
			close(report[1]);
			close(sync[1]);
			become(s, sync[0]);
		}
		if (pid == -1)
			pid = -errno;
		_exit(write(report[1], &pid, sizeof(pid)) != sizeof(pid));
	}
	close(report[1]);
	if (helper < 0 || read(report[0], &pid, sizeof(pid)) != sizeof(pid))
		pid = -EIO;
	close(report[0]);
	if (helper > 0)
		waitpid(helper, &status, 0);
	if (pid < 0) {
		errno = -pid;
		return -1;
	}
	s->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return pid;
}

static int write_proc(pid_t pid, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* "All ids" is what our own namespace has, which need not be the initial one. */
static int map_ids(const struct spawn *s, const char *file)
{
	char text[2048];

	if (s->all_ids) {
		char path[64], line[128];
		FILE *f;
		size_t n = 0;

		snprintf(path, sizeof(path), "/proc/self/%s", file);
		f = fopen(path, "re");
		if (!f)
			return -errno;
		while (fgets(line, sizeof(line), f)) {
			unsigned long inside, outside, size;

			if (sscanf(line, "%lu %lu %lu", &inside, &outside, &size) == 3 && n < sizeof(text) - 64)
				n += (size_t)snprintf(text + n, sizeof(text) - n, "%lu %lu %lu\n", inside, inside,
						      size);
		}
		fclose(f);
	} else {
		snprintf(text, sizeof(text), "%u %u 1\n", s->uid, s->uid);
	}
	return write_proc(s->pid, file, text);
}

int spawn_prepare(struct spawn *s, struct err *e)
{
	int sync[2], r;

	s->pidfd = s->sync_fd = -1;
	s->pid = -1;
	if (pipe2(sync, O_CLOEXEC) < 0)
		return err_sys(e, errno, "sbx-%s: pipe", s->name);
	if (s->join_pidfd >= 0 && s->namespaces) {
		s->pid = clone_joined(s, sync);
	} else {
		s->pid = clone_into(s->namespaces | (s->for_parent ? CLONE_PARENT : 0), &s->pidfd);
		if (s->pid == 0) {
			close(sync[1]);
			become(s, sync[0]);
		}
	}
	r = errno;
	close(sync[0]);
	if (s->pid < 0) {
		close(sync[1]);
		if (r == EPERM || r == ENOSPC || r == EUSERS)
			return err_sys(e, r, "sbx-%s: this host does not allow new user namespaces "
				       "(see /proc/sys/user/max_user_namespaces)", s->name);
		if (r == EINVAL || r == ENOSYS)
			return err_sys(e, r, "sbx-%s: this host's kernel lacks clone3 or a kind of namespace",
				       s->name);
		return err_sys(e, r, "sbx-%s: clone", s->name);
	}
	s->sync_fd = sync[1];
	if (waiting_count < ARRAY_SIZE(waiting))
		waiting[waiting_count++] = sync[1];
	if (s->namespaces & CLONE_NEWUSER) {
		r = map_ids(s, "uid_map");
		if (r == 0)
			r = map_ids(s, "gid_map");
		if (r < 0)
			return err_sys(e, -r, "sbx-%s: mapping ids into its user namespace", s->name);
	}
	return 0;
}

int spawn_release(struct spawn *s, struct err *e)
{
	ssize_t r = write(s->sync_fd, "", 1);

	for (size_t i = 0; i < waiting_count; i++)
		if (waiting[i] == s->sync_fd)
			waiting[i--] = waiting[--waiting_count];
	close_fd(&s->sync_fd);
	return r == 1 ? 0 : err_set(e, EPIPE, "sbx-%s ended before it began", s->name);
}
