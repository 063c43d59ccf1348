/* Descriptors in flight. A socket that is only held by messages in the queues of sockets that are
 * themselves only held so can never be received by anybody: such circles are found and broken. A socket is
 * suspect when every reference to its file is in flight; suspects that a queue outside of the
 * suspects (or a suspect so reached) holds are cleared, and the rest is garbage. */
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/net/unix/unix.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"

static struct list flying = LIST_INIT(flying); /* sockets with in_flight > 0 */
static bool running;

/* Files in flight by owner, for the limit. */
static struct account {
	uint32_t uid;
	unsigned count;
} *accounts;
static unsigned account_count, account_capacity;

static struct account *account_of(uint32_t uid)
{
	struct account *bigger;

	for (unsigned i = 0; i < account_count; i++) {
		if (accounts[i].uid == uid)
			return &accounts[i];
	}
	for (unsigned i = 0; i < account_count; i++) {
		if (!accounts[i].count) {
			accounts[i].uid = uid;
			return &accounts[i];
		}
	}
	if (account_count == account_capacity) {
		unsigned capacity = account_capacity ? account_capacity * 2 : 8;

		bigger = realloc(accounts, capacity * sizeof(*accounts));
		if (!bigger)
			return NULL;
		accounts = bigger;
		account_capacity = capacity;
	}
	accounts[account_count] = (struct account){uid, 0};
	return &accounts[account_count++];
}

static struct unix_sock *sock_of(const struct file *f)
{
	struct socket *s = socket_of_file(f);

	return s && s->family == AF_UNIX ? unix_sk(s) : NULL;
}

bool unix_too_many_fds(struct task *t)
{
	struct account *a = account_of(t->cred->uid);

	return a && a->count > t->signal->rlim[RLIMIT_NOFILE].rlim_cur &&
	       !capable(t, CAP_SYS_RESOURCE) && !capable(t, CAP_SYS_ADMIN);
}

static void count(struct scm_fds *fds, int sign)
{
	struct account *a = account_of(fds->uid);

	for (unsigned i = 0; i < fds->count; i++) {
		struct unix_sock *u = sock_of(fds->file[i]);

		if (!u)
			continue;
		u->in_flight += (unsigned)sign;
		if (!u->in_flight)
			list_del(&u->gc_node);
		else if (list_empty(&u->gc_node))
			list_add_tail(&flying, &u->gc_node);
	}
	if (a)
		a->count = sign > 0 ? a->count + fds->count : a->count - MIN(a->count, fds->count);
	fds->in_flight = sign > 0;
}

void unix_fds_in_flight(struct scm_fds *fds)
{
	count(fds, 1);
}

void unix_fds_landed(struct scm_fds *fds)
{
	if (fds->in_flight)
		count(fds, -1);
}

/* Calls fn for every suspect that a message in u's queue holds; a listener's queue stands for those of
 * the connections in it. */
static void each_child(struct unix_sock *u, void (*fn)(struct unix_sock *child))
{
	struct unix_packet *p;

	LIST_FOR_EACH(p, &u->queue, node) {
		if (p->conn)
			each_child(p->conn, fn);
		for (unsigned i = 0; p->fds && i < p->fds->count; i++) {
			struct unix_sock *child = sock_of(p->fds->file[i]);

			if (child && child->gc_candidate)
				fn(child);
		}
	}
}

static void less(struct unix_sock *u)
{
	u->gc_count--;
}

static void clear(struct unix_sock *u)
{
	u->gc_reachable = true;
}

/* Takes the descriptors out of u's messages onto a chain of their own. */
struct hit {
	struct hit *next;
	struct scm_fds *fds;
};

static void collect(struct unix_sock *u, struct hit **hits)
{
	struct unix_packet *p;

	LIST_FOR_EACH(p, &u->queue, node) {
		struct hit *h;

		if (p->conn)
			collect(p->conn, hits);
		if (!p->fds || !(h = malloc(sizeof(*h))))
			continue;
		h->fds = unix_detach_fds(p, false);
		h->next = *hits;
		*hits = h;
	}
}

/* Leaves gc_candidate set for the garbage alone. */
static void mark(void)
{
	struct unix_sock *u;
	bool again;

	LIST_FOR_EACH(u, &flying, gc_node) {
		u->gc_candidate = u->s.file && u->s.file->refs == u->in_flight;
		u->gc_count = u->in_flight;
		u->gc_reachable = false;
	}
	LIST_FOR_EACH(u, &flying, gc_node) {
		if (u->gc_candidate)
			each_child(u, less);
	}
	/* A count that is left over is a queue outside of the suspects. */
	LIST_FOR_EACH(u, &flying, gc_node)
		u->gc_reachable = u->gc_candidate && u->gc_count;
	do {
		again = false;
		LIST_FOR_EACH(u, &flying, gc_node) {
			if (!u->gc_candidate || !u->gc_reachable)
				continue;
			u->gc_candidate = false;
			each_child(u, clear);
			again = true;
		}
	} while (again);
}

void unix_gc(void)
{
	struct hit *hits = NULL, *h;
	struct unix_sock *u;
	bool again;

	if (running || list_empty(&flying))
		return;
	mark();
	do { /* collecting changes the list of the flying */
		again = false;
		LIST_FOR_EACH(u, &flying, gc_node) {
			if (!u->gc_candidate)
				continue;
			u->gc_candidate = false;
			collect(u, &hits);
			again = true;
			break;
		}
	} while (again);
	running = true;
	while ((h = hits)) {
		hits = h->next;
		scm_fds_free(h->fds);
		free(h);
	}
	running = false;
}
