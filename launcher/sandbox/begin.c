/* From created to running: the hooks that run in the container, then its first process. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include "common/base/util.h"
#include "launcher/sandbox/hooks.h"
#include "launcher/sandbox/sandbox.h"

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The end of a process that CTL_EXEC made; its status, as wait4 reports it. */
static int wait_exit(struct sandbox *sb, uint32_t pid, uint32_t timeout_s, int *ret_status, struct err *e)
{
	int64_t end = now_ms() + (int64_t)timeout_s * 1000;
	struct ctl_msg others[64];
	size_t count = 0;
	int r = 1;

	while (r > 0) {
		struct ctl_msg m;
		struct pollfd p[SERVICE_COUNT + 1] = {{.fd = sb->inbox.event_fd, .events = POLLIN}};
		uint64_t events;

		while (r > 0 && sandbox_take(sb, &m)) {
			if (m.type == CTL_EXIT && m.pid == pid) {
				*ret_status = (int)m.value;
				r = 0;
			}
			if (m.type == CTL_EXIT && m.pid != pid && count < ARRAY_SIZE(others))
				others[count++] = m;
			else
				ctl_msg_done(&m);
		}
		if (r == 0)
			break;
		r = sandbox_check(sb, e);
		if (r < 0)
			break;
		r = 1;
		if (timeout_s && now_ms() >= end) {
			r = err_set(e, ETIMEDOUT, "hook ran past specified timeout of %us", timeout_s);
			break;
		}
		for (int i = 0; i < SERVICE_COUNT; i++)
			p[i + 1] = (struct pollfd){.fd = sb->services[i].pidfd, .events = POLLIN};
		poll(p, SERVICE_COUNT + 1, timeout_s ? (int)MIN(end - now_ms(), 1000) : -1);
		if (p[0].revents && read(sb->inbox.event_fd, &events, sizeof(events)) < 0)
			continue;
	}
	sandbox_put_back(sb, others, count);
	return r;
}

/* A hook's process has the container's root and limits, and none of its own user, directory or filter. */
static struct ctl_process *hook_process(const struct sandbox *sb, const struct hook *h)
{
	const struct ctl_process *base = sb->spec->process;
	struct ctl_process *p = calloc(1, sizeof(*p));
	int r = p ? 0 : -ENOMEM;

	if (!p)
		return NULL;
	p->cwd = strdup("/");
	p->umask = 022;
	p->cap_bounding = p->cap_effective = p->cap_permitted = base->cap_bounding;
	p->stdio = calloc(3, sizeof(*p->stdio));
	/* argv[0] is the program: the name that config.json gives it in args is lost to what it sees */
	r = ctl_strv_add(&p->args, h->path);
	for (size_t i = 1; i < h->args.count && r == 0; i++)
		r = ctl_strv_add(&p->args, h->args.v[i]);
	for (size_t i = 0; i < h->env.count && r == 0; i++)
		r = ctl_strv_add(&p->env, h->env.v[i]);
	for (size_t i = 0; i < base->rlimit_count && r == 0; i++)
		r = spec_set_rlimit(p, base->rlimits[i].resource, base->rlimits[i].soft, base->rlimits[i].hard);
	if (r < 0 || !p->cwd || !p->stdio) {
		ctl_process_free(p);
		return NULL;
	}
	p->stdio_count = 3;
	return p;
}

static int run_inner_hook(struct sandbox *sb, const struct hook *h, struct err *e)
{
	CLEANUP_CLOSE int in = hooks_state_fd(sb->state, "created"), out = memfd_create("hook", MFD_CLOEXEC);
	struct ctl_msg m = {.type = CTL_EXEC, .process = hook_process(sb, h)};
	char words[400] = "";
	int status = 0, r = 0;
	int64_t pid;

	if (!m.process || in < 0 || out < 0) {
		r = err_sys(e, ENOMEM, "%s", h->path);
	} else {
		m.process->stdio[0] = sandbox_pass(sb, in);
		m.process->stdio[1] = m.process->stdio[2] = sandbox_pass(sb, out);
		pid = sandbox_call(sb, &m, SANDBOX_CALL_TIMEOUT_MS, e);
		r = pid < 0 ? (int)pid : wait_exit(sb, (uint32_t)pid, h->timeout_s, &status, e);
	}
	if (r == 0 && status != 0) {
		ssize_t n = pread(out, words, sizeof(words) - 1, 0);

		words[n > 0 ? n : 0] = 0;
		words[strcspn(words, "\n")] = 0;
		r = err_set(e, EIO, "error running hook: %s %d: %s, output: %s",
			    WIFEXITED(status) ? "exit status" : "signal",
			    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), h->path, words);
	}
	free(m.text);
	ctl_process_free(m.process);
	return r;
}

int sandbox_check_program(struct sandbox *sb, struct err *e)
{
	struct ctl_msg m = {.type = CTL_CHECK, .process = sb->spec->process};
	int64_t r = sandbox_call(sb, &m, SANDBOX_CALL_TIMEOUT_MS, e);

	free(m.text);
	/* a relative name may be meant from a folder that is not entered yet */
	if (r < 0 && sb->spec->process->args.v[0][0] != '/' && strchr(sb->spec->process->args.v[0], '/'))
		return 0;
	return r < 0 ? (int)r : 0;
}

int sandbox_begin(struct sandbox *sb, struct err *e)
{
	const struct hooks *h = &sb->spec->hooks;
	struct ctl_msg m = {.type = CTL_START, .process = sb->spec->process};
	int64_t r;

	for (size_t i = 0; i < h->count[HOOK_START_CONTAINER]; i++) {
		r = run_inner_hook(sb, &h->list[HOOK_START_CONTAINER][i], e);
		if (r < 0)
			return err_wrap(e, "%s hook #%zu", hook_kind_name(HOOK_START_CONTAINER), i);
	}
	r = sandbox_call(sb, &m, SANDBOX_CALL_TIMEOUT_MS, e);
	free(m.text);
	if (r < 0)
		return (int)r;
	sb->started = true;
	return state_set_status(sb->state, "running", e);
}
