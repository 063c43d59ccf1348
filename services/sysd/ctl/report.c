/* What the launcher's ps and stats show. */
#include <stdio.h>
#include "common/base/util.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/ctl/internal.h"
#include "services/sysd/fs/gofer/gofer.h"
#include "services/sysd/fs/proc/seqbuf.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/net/netfiles.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/cred.h"
#include "services/sysd/task/task.h"

static char state_letter(const struct task *t)
{
	switch (t->state) {
	case TASK_RUNNING:
		return 'R';
	case TASK_SLEEPING:
		return 'S';
	case TASK_UNINT:
		return 'D';
	case TASK_STOPPED:
		return 'T';
	case TASK_TRACED:
		return 't';
	case TASK_ZOMBIE:
		return 'Z';
	default:
		return 'X';
	}
}

/* The guest's text as a JSON string: what is not plain ASCII is escaped byte by byte. */
static void put_json(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(f, "\\u%04x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

char *do_ps(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct list *head = signal_all();
	struct signal *sig;
	bool first = true;

	if (!f)
		return NULL;
	fputc('[', f);
	LIST_FOR_EACH (sig, head, all_node) {
		const struct task *t = sig->leader;

		if (!t)
			continue;
		fprintf(f, "%s{\"hostPid\":%d,\"pid\":%u,\"ppid\":%u,\"uid\":%u,\"threads\":%u,\"state\":\"%c\",\"cmd\":",
			first ? "" : ",", t->mm && t->mm->hp && !t->mm->hp->dead ? t->mm->hp->host_pid : 0, sig->pid, sig->parent ? sig->parent->pid : 0,
			t->cred ? t->cred->uid : 0, sig->live, state_letter(t));
		put_json(f, t->comm);
		fputc('}', f);
		first = false;
	}
	fputc(']', f);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* One line for each task: numbers, name, state, the call that it is in, and what it waits for. */
char *do_debug(void)
{
	char *text = NULL, call[512];
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct list *head = signal_all();
	struct signal *sig;
	struct task *t;

	if (!f)
		return NULL;
	LIST_FOR_EACH (sig, head, all_node) {
		LIST_FOR_EACH (t, &sig->threads, thread_node) {
			strace_describe(t, call, sizeof(call));
			fprintf(f, "%6u %6u %c %-15s %s%s%s%s\n", sig->pid, t->tid, state_letter(t), t->comm,
				t->nr < 0 ? "runs" : call, t->wchan ? " [" : "", t->wchan ? t->wchan : "",
				t->wchan ? "]" : "");
		}
	}
	return fclose(f) == 0 ? text : (free(text), NULL);
}

/* A text of netd about the sandbox's own network; NULL: there is none now. */
static char *net_text(const char *name)
{
	struct net_ns *ns = net_ns_initial();
	struct seqbuf s = {0};
	char *text = NULL;

	if (ns && netfiles_show(ns, name, &s) == 0) {
		seq_putc(&s, 0);
		if (!s.failed)
			text = STEAL_PTR(s.buf);
	}
	seq_done(&s);
	return text;
}

char *do_net(void)
{
	return net_text("sockets");
}

char *do_stats(void)
{
	CLEANUP_FREE char *net = net_text("metrics");
	const struct sched_stats *s = sched_stats();
	const struct gofer_stats *g = gofer_get_stats();
	struct list *head = signal_all();
	struct signal *sig;
	unsigned long processes = 0, threads = 0;
	char *text;

	LIST_FOR_EACH (sig, head, all_node) {
		processes++;
		threads += sig->live;
	}
	if (asprintf(&text,
		     "# TYPE sbx_processes gauge\nsbx_processes %lu\n"
		     "# TYPE sbx_threads gauge\nsbx_threads %lu\n"
		     "# TYPE sbx_executor_sleeps counter\nsbx_executor_sleeps_total %llu\n"
		     "# TYPE sbx_executor_switches counter\nsbx_executor_switches_total %llu\n"
		     "# TYPE sbx_executor_offloads counter\nsbx_executor_offloads_total %llu\n"
		     "# TYPE sbx_gofer_requests counter\nsbx_gofer_requests_total %llu\n"
		     "# TYPE sbx_gofer_descriptors gauge\nsbx_gofer_descriptors %llu\n%s# EOF\n",
		     processes, threads, (unsigned long long)s->sleeps, (unsigned long long)s->switches,
		     (unsigned long long)s->offloads, (unsigned long long)g->requests,
		     (unsigned long long)g->fds_open, net ? net : "") < 0)
		return NULL;
	return text;
}
