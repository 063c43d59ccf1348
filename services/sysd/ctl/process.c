/* CTL_START and CTL_EXEC: processes that the launcher asks for; signals to them and sizes of their
 * terminals. */
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/ctl/internal.h"
#include "services/sysd/exec/exec.h"
#include "services/sysd/fs/hostfile/hostfile.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/task/cred.h"
#include "services/sysd/task/internal.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"
#include "services/sysd/tty/tty.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/mount.h"
#include "services/sysd/vfs/namei.h"

static struct cred *make_cred(const struct ctl_process *p)
{
	struct cred *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->refs = 1;
	c->uid = c->euid = c->suid = c->fsuid = p->uid;
	c->gid = c->egid = c->sgid = c->fsgid = p->gid;
	c->cap_bset = p->cap_bounding;
	c->cap_permitted = p->cap_permitted;
	c->cap_effective = p->cap_effective & p->cap_permitted;
	c->cap_inheritable = p->cap_inheritable;
	c->cap_ambient = p->cap_ambient & p->cap_permitted & p->cap_inheritable;
	c->no_new_privs = p->no_new_privs;
	if (p->group_count) {
		c->groups = calloc(1, sizeof(*c->groups) + p->group_count * sizeof(uint32_t));
		if (!c->groups) {
			free(c);
			return NULL;
		}
		c->groups->refs = 1;
		c->groups->count = p->group_count;
		memcpy(c->groups->gid, p->groups, p->group_count * sizeof(uint32_t));
	}
	return c;
}

static int open_null(struct task *t, struct file **ret)
{
	struct path p;
	int r = null_path(t, &p);

	if (r == 0) {
		r = file_open_path(&p, O_RDWR, t->cred, ret);
		path_put(&p);
	}
	return r;
}

/* One description under several numbers (2>&1) came under one ticket. */
static struct file *same_as_before(struct task *t, const struct ctl_process *p, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (p->stdio[j] == p->stdio[i])
			return fd_get_any(t, (int)j);
	return NULL;
}

static int install_stdio(struct task *t, const struct ctl_process *p, struct ctl_error *e)
{
	for (size_t i = 0; i < p->stdio_count; i++) {
		struct file *f = same_as_before(t, p, i);
		int r = 0;

		if (p->stdio[i] == 0)
			continue; /* not open out there: it is not in here */
		if (!f) {
			int fd = ctl_take_fd(p->stdio[i]);
			bool null;

			if (fd < 0)
				return ctl_fail(e, fd, "descriptor %zu did not arrive: %s", i, strerror(-fd));
			null = hostfile_is_null(fd);
			r = null ? open_null(t, &f) : hostfile_new(fd, &f);
			if (r < 0 || null)
				close(fd);
		}
		if (r < 0)
			return ctl_fail(e, r, "descriptor %zu: %s", i, strerror(-r));
		r = fd_install_at(t, f, (int)i, false);
		if (r < 0) {
			file_unref(f);
			return ctl_fail(e, r, "descriptor %zu: %s", i, strerror(-r));
		}
	}
	return 0;
}

/* A pty of the container's own devpts, bridged to the descriptor that the launcher gave. */
static int install_terminal(struct task *t, const struct ctl_process *p, struct tty **ret, struct ctl_error *e)
{
	struct path pts;
	struct file *f;
	struct tty *tty;
	int fd = p->stdio_count ? ctl_take_fd(p->stdio[0]) : -ENOENT, r;

	if (fd < 0)
		return ctl_fail(e, fd, "the terminal did not arrive: %s", strerror(-fd));
	r = path_lookup(t, AT_FDCWD, "/dev/pts", LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &pts);
	if (r < 0) {
		close(fd);
		return ctl_fail(e, r, "process.terminal: /dev/pts: %s", strerror(-r));
	}
	r = tty_bridge_host(fd, &pts, &tty);
	path_put(&pts);
	if (r < 0)
		return ctl_fail(e, r, "process.terminal: %s", strerror(-r));
	if (p->rows || p->cols)
		tty_set_winsize(tty, &(struct abi_winsize){.row = p->rows, .col = p->cols});
	r = pty_open_slave(tty, t, O_RDWR | O_NOCTTY, &f);
	if (r < 0) {
		tty_unref(tty);
		return ctl_fail(e, r, "process.terminal: %s", strerror(-r));
	}
	for (int i = 0; i < 3 && r >= 0; i++)
		r = fd_install_at(t, file_ref(f), i, false);
	file_unref(f);
	if (r < 0) {
		tty_unref(tty);
		return ctl_fail(e, r, "process.terminal: %s", strerror(-r));
	}
	tty_set_controlling(tty, t);
	*ret = tty;
	return 0;
}

/* As Go spells it: engines tell "permission denied" and "no such file or directory" by these words. */
static const char *reason(int error)
{
	static char text[96];

	snprintf(text, sizeof(text), "%s", error == -EISDIR ? "is a directory: permission denied" : strerror(-error));
	text[0] = (char)tolower((unsigned char)text[0]);
	return text;
}

/* execvp(3): where the program is, in the words that runc uses when it is nowhere. */
static int open_in(struct task *t, const char *path, struct file **ret)
{
	struct path p;
	int r = path_lookup(t, AT_FDCWD, path, LOOKUP_FOLLOW, &p);

	if (r < 0)
		return r;
	if (!S_ISREG(p.dentry->inode->mode) || (p.mnt->flags & MNT_NOEXEC))
		r = -EACCES;
	else
		r = inode_permission(p.dentry->inode, t, MAY_EXEC);
	if (r == 0)
		r = file_open_path(&p, O_RDONLY, t->cred, ret);
	path_put(&p);
	return r;
}

static int find_program(struct task *t, const struct ctl_process *p, char **ret_name, struct file **ret,
			struct ctl_error *e)
{
	const char *name = p->args.v[0], *list = NULL;
	int r, best = -ENOENT;

	if (strchr(name, '/')) {
		r = open_in(t, name, ret);
		if (r < 0)
			return r == -EACCES || r == -EISDIR
				       ? ctl_fail(e, r, "exec: \"%s\": %s", name, reason(r))
				       : ctl_fail(e, r, "exec: \"%s\": stat %s: %s", name, name, reason(r));
		*ret_name = strdup(name);
		return *ret_name ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < p->env.count; i++)
		if (!strncmp(p->env.v[i], "PATH=", 5))
			list = p->env.v[i] + 5;
	for (const char *s = list; s && *name; s = *s ? s + 1 : NULL) {
		size_t n = strcspn(s, ":");
		char *full;

		if (asprintf(&full, "%.*s%s%s", (int)n, s, n ? "/" : "./", name) < 0)
			return -ENOMEM;
		r = open_in(t, full, ret);
		if (r == 0) {
			*ret_name = full;
			return 0;
		}
		free(full);
		if (r == -EACCES)
			best = r;
		s += n;
	}
	return ctl_fail(e, best, best == -EACCES ? "exec: \"%s\": permission denied"
						  : "exec: \"%s\": executable file not found in $PATH", name);
}

static int enter_cwd(struct task *t, const struct ctl_process *p, struct ctl_error *e)
{
	struct path dir;
	int r = tree_mkdirs(t, p->cwd);

	if (r == 0 || r == -EROFS)
		r = path_lookup(t, AT_FDCWD, p->cwd, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &dir);
	if (r < 0)
		return ctl_fail(e, r, "process.cwd: %s: %s", p->cwd, strerror(-r));
	path_put(&t->fs->pwd);
	t->fs->pwd = dir;
	return 0;
}

#define PASSWD_MAX (1 << 20)

/* name:password:uid:gid:comment:home:shell; the home of that user, or NULL. The line is the image's. */
static const char *home_in_line(char *line, uint32_t uid)
{
	char *field[7], *end;

	for (int i = 0; i < 7; i++) {
		field[i] = line;
		line = line ? strchr(line, ':') : NULL;
		if (line)
			*line++ = 0;
	}
	if (!field[5] || !field[2][0] || strtoul(field[2], &end, 10) != uid || *end)
		return NULL;
	return field[5][0] == '/' ? field[5] : NULL;
}

/* The user's directory as the container's /etc/passwd has it; "/" when it has none. */
static void find_home(struct task *t, uint32_t uid, char *ret, size_t size)
{
	CLEANUP_FREE char *text = malloc(PASSWD_MAX + 1);
	ssize_t n = 0, got = 1;
	struct file *f;
	char *save = NULL;

	snprintf(ret, size, "/");
	if (!text || vfs_open(t, AT_FDCWD, "/etc/passwd", O_RDONLY | O_NONBLOCK, 0, 0, &f) < 0)
		return;
	while (S_ISREG(f->inode->mode) && n < PASSWD_MAX && got > 0) {
		got = file_kernel_read(f, text + n, (size_t)(PASSWD_MAX - n), n);
		n += MAX(got, 0);
	}
	file_unref(f);
	text[n] = 0;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *home = home_in_line(line, uid);

		if (home) {
			snprintf(ret, size, "%s", home);
			return;
		}
	}
}

/* The environment with HOME, which engines leave to the runtime. The strings stay p's but the last. */
static char **complete_env(struct task *t, const struct ctl_process *p, char *room, size_t size)
{
	char **env = calloc(p->env.count + 2, sizeof(*env));
	bool has_home = false;

	if (!env)
		return NULL;
	for (size_t i = 0; i < p->env.count; i++) {
		env[i] = p->env.v[i];
		has_home |= !strncmp(env[i], "HOME=", 5) && env[i][5];
	}
	if (!has_home) {
		memcpy(room, "HOME=", 5);
		find_home(t, p->uid, room + 5, size - 5);
		for (size_t i = 0; i < p->env.count; i++)
			if (!strncmp(env[i], "HOME=", 5))
				env[i] = room, has_home = true;
		if (!has_home)
			env[p->env.count] = room;
	}
	return env;
}

/* Everything but the start of its strand. */
static int prepare(struct task *t, const struct ctl_process *p, struct tty **ret_tty, struct ctl_error *e)
{
	CLEANUP_FREE char *name = NULL;
	CLEANUP_FREE char **env = NULL;
	char home[600];
	struct file *prog;
	struct cred *cred;
	int r;

	for (size_t i = 0; i < p->rlimit_count; i++)
		t->signal->rlim[p->rlimits[i].resource] =
			(struct rlimit64){p->rlimits[i].soft, p->rlimits[i].hard};
	t->signal->oom_score_adj = t->signal->oom_score_adj_min = p->oom_score_adj;
	r = enter_cwd(t, p, e);
	if (r == 0)
		r = p->terminal ? install_terminal(t, p, ret_tty, e) : install_stdio(t, p, e);
	if (r < 0)
		return r;
	env = complete_env(t, p, home, sizeof(home));
	cred = env ? make_cred(p) : NULL;
	if (!cred)
		return -ENOMEM;
	task_set_cred(t, cred);
	t->fs->umask = p->umask;
	r = find_program(t, p, &name, &prog, e);
	if (r < 0)
		return r;
	r = exec_task(t, prog, name, p->args.v, env);
	file_unref(prog);
	if (r < 0)
		return ctl_fail(e, r, "exec: \"%s\": %s", p->args.v[0], reason(r));
	if (p->seccomp)
		r = task_seccomp_attach(t, p->seccomp, p->seccomp_size);
	return r < 0 ? ctl_fail(e, r, "linux.seccomp: %s", strerror(-r)) : 0;
}

int do_check(const struct ctl_process *p, struct ctl_error *e)
{
	CLEANUP_FREE char *name = NULL;
	struct file *prog;
	int r;

	if (!sandbox.configured || !sandbox.init)
		return ctl_fail(e, -EINVAL, "the sandbox is not configured");
	r = find_program(sandbox.init, p, &name, &prog, e);
	if (r == 0)
		file_unref(prog);
	return r;
}

int do_start(const struct ctl_process *p, struct ctl_error *e)
{
	int r;

	if (!sandbox.configured || !sandbox.init)
		return ctl_fail(e, -EINVAL, "the sandbox is not configured");
	if (sandbox.started)
		return ctl_fail(e, -EBUSY, "the sandbox runs already");
	sandbox.started = true;
	r = prepare(sandbox.init, p, &sandbox.console, e);
	if (r == 0 && sandbox.console)
		tty_set_console(sandbox.console);
	if (r == 0)
		r = task_start(sandbox.init);
	return r < 0 ? r : 1;
}

static void end_unborn(void *arg)
{
	struct task *t = arg;

	task_exit(t, 127 << 8);
}

int do_exec(const struct ctl_process *p, struct ctl_error *e)
{
	struct tty *tty = NULL;
	struct cred *cred;
	struct task *t;
	int r;

	/* before the start too: hooks */
	if (!sandbox.configured || !sandbox.init)
		return ctl_fail(e, -ESRCH, "the container does not run");
	/* the rights to set it up; prepare gives it those that were asked for */
	cred = calloc(1, sizeof(*cred));
	if (!cred)
		return -ENOMEM;
	cred->refs = 1;
	cred->cap_permitted = cred->cap_effective = cred->cap_bset = (1ull << 41) - 1;
	t = task_create_foreign(cred);
	cred_unref(cred);
	if (!t)
		return ctl_fail(e, -EAGAIN, "no memory for a process");
	r = prepare(t, p, &tty, e);
	if (tty)
		tty_unref(tty);
	if (r == 0)
		r = task_start(t);
	if (r == 0)
		return (int)t->signal->pid;
	/* nobody was told of it, so nobody hears of its end; its own strand gives everything back */
	t->signal->foreign = false;
	task_ref(t); /* the strand's */
	if (sched_start(&t->strand, end_unborn, t) < 0)
		log_error("a process that could not start stays in the table");
	return r;
}

int do_signal(uint32_t pid, int signo, bool all, struct ctl_error *e)
{
	struct signal *sig;

	if (signo < 0 || signo > 64)
		return ctl_fail(e, -EINVAL, "no such signal: %d", signo);
	if (all) {
		struct list *head = signal_all();

		LIST_FOR_EACH (sig, head, all_node)
			signal_send_group(sig, signo, NULL);
		return 0;
	}
	sig = signal_find(pid);
	if (!sig)
		return ctl_fail(e, -ESRCH, "no such process: %u", pid);
	return signo ? signal_send_group(sig, signo, NULL) : 0;
}

int do_stop(struct ctl_error *e)
{
	return do_signal(0, SIGKILL, true, e);
}

int do_resize(uint32_t pid, uint16_t rows, uint16_t cols, struct ctl_error *e)
{
	struct signal *sig = signal_find(pid);
	struct tty *tty = sig ? sig->tty : NULL;

	if (!tty && pid == 1)
		tty = sandbox.console;
	if (!tty)
		return ctl_fail(e, -ENOTTY, "process %u has no terminal", pid);
	tty_set_winsize(tty, &(struct abi_winsize){.row = rows, .col = cols});
	return 0;
}
