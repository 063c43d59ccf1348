/* Watches: inotify(7) of the host on files that a guest watches. There is one instance, made with the first watch and
 * closed after the last. Its descriptor goes to sysd, which reads the events from the kernel's own queue: it is bounded
 * there, and what does not fit is an event of its own. So fsd keeps no event, and waits for none.
 *
 * The kernel has one watch for an inode, whatever the names; sysd may ask for it more than once, so they are counted. A
 * watch that the kernel ended (the file is gone) is counted on until sysd gives it back: numbers are not used again
 * before all of them were. */
#include "fsd/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/base/util.h"
#include "common/log/log.h"

#define LIMIT_MIN 1024u
#define LIMIT_MAX 16384u
#define LIMIT_PART 4u /* of what the host's root may watch in all */

struct watch {
	int32_t wd;
	uint32_t refs;
	uint64_t node; /* of a directory, or 0 */
};
struct watches {
	int fd;
	size_t count, capacity;
	struct watch *list; /* by wd */
};

static unsigned limit = LIMIT_MIN;

void watch_set_limit(void)
{
	CLEANUP_CLOSE int fd = open("/proc/sys/fs/inotify/max_user_watches", O_RDONLY | O_CLOEXEC);
	char buf[32];
	ssize_t n = fd >= 0 ? read(fd, buf, sizeof(buf) - 1) : -1;

	if (n <= 0)
		return;
	buf[n] = 0;
	limit = (unsigned)MIN(MAX(strtoul(buf, NULL, 10) / LIMIT_PART, (unsigned long)LIMIT_MIN), (unsigned long)LIMIT_MAX);
}

void watches_free(struct watches *w)
{
	if (!w)
		return;
	close_fd(&w->fd);
	free(w->list);
	free(w);
}

static int instance(struct server *s)
{
	struct watches *w;

	if (s->watches)
		return 0;
	if (!s->proc_cwd)
		return -EOPNOTSUPP;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd < 0) {
		int ret = -errno;

		free(w);
		return ret;
	}
	s->watches = w;
	return 1;
}

/* Where wd is, or belongs. */
static size_t place(const struct watches *w, int32_t wd)
{
	size_t low = 0, high = w->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (w->list[mid].wd < wd)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int count_one(struct watches *w, int32_t wd, uint64_t node)
{
	size_t at = place(w, wd);

	if (at < w->count && w->list[at].wd == wd) {
		w->list[at].refs++;
		return 0;
	}
	if (w->count >= limit)
		return -ENOSPC;
	if (w->count == w->capacity) {
		size_t capacity = w->capacity ? w->capacity * 2 : 16;
		struct watch *list = realloc(w->list, capacity * sizeof(*list));

		if (!list)
			return -ENOMEM;
		w->list = list;
		w->capacity = capacity;
	}
	memmove(&w->list[at + 1], &w->list[at], (w->count - at) * sizeof(*w->list));
	w->list[at] = (struct watch){wd, 1, node};
	w->count++;
	return 0;
}

static void end_if_empty(struct server *s)
{
	if (!s->watches->count)
		watches_free(STEAL_PTR(s->watches));
}

static int add(struct server *s, const struct target *t, int32_t *ret_wd)
{
	char path[32];
	int32_t wd;
	int ret;

	snprintf(path, sizeof(path), "self/fd/%d", t->fd);
	wd = inotify_add_watch(s->watches->fd, path, FSD_WATCH_EVENTS | IN_EXCL_UNLINK);
	if (wd < 0)
		return -errno;
	ret = count_one(s->watches, wd, S_ISDIR(t->sx.stx_mode) && !t->own ? t->node->id : 0);
	if (ret < 0) {
		inotify_rm_watch(s->watches->fd, wd);
		return ret;
	}
	*ret_wd = wd;
	return 0;
}

int do_watch(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	bool first;
	struct target t;
	int32_t wd = 0;
	int ret = req_target(s, q, false, &t), fd;

	if (ret < 0)
		return ret;
	ret = instance(s);
	first = ret > 0;
	if (ret >= 0) {
		ret = add(s, &t, &wd);
		if (ret == 0 && first) {
			fd = fcntl(s->watches->fd, F_DUPFD_CLOEXEC, 0);
			ret = fd < 0 ? -errno : 0;
			if (fd >= 0)
				s->fd_out = fd;
			else
				s->watches->count = 0;
		}
		if (ret == 0 && S_ISDIR(t.sx.stx_mode) && !t.own)
			node_watch(t.node, true);
		end_if_empty(s);
	}
	target_done(&t);
	if (ret < 0)
		return ret;
	rep->cookie = (uint64_t)wd;
	rep->flags = first ? FSD_WATCH_FD : 0;
	return 0;
}

int do_unwatch(struct server *s, const struct fsd_req *q, struct fsd_reply *rep)
{
	struct watches *w = s->watches;
	struct node *n;
	size_t at;

	(void)rep;
	if (!w || q->cookie > INT32_MAX)
		return -EINVAL;
	at = place(w, (int32_t)q->cookie);
	if (at == w->count || w->list[at].wd != (int32_t)q->cookie)
		return -EINVAL;
	if (--w->list[at].refs)
		return 0;
	inotify_rm_watch(w->fd, w->list[at].wd); /* or the kernel has ended it */
	n = w->list[at].node ? node_get(w->list[at].node) : NULL;
	if (n)
		node_watch(n, false);
	w->count--;
	memmove(&w->list[at], &w->list[at + 1], (w->count - at) * sizeof(*w->list));
	end_if_empty(s);
	return 0;
}
