/* Somebody else changes the root directory of an exclusive mount. Nobody is expected to, so sysd believes what it knows;
 * but `docker cp` and its like enter a container's root by pivot_root(2), for which they make a directory in it and remove it
 * again, whatever they then change beneath. That much is watched: F_NOTIFY takes a signal and none of the host's few inotify
 * instances, of which a thousand sandboxes could not have one each. The signal raises a count in the ring's memory, which
 * sysd looks at before it goes on (services/sysd/fs/gofer/doubt.c); nobody is woken.
 *
 * A change of our own makes the signal too, before the system call returns: it is not counted when the request was about
 * that directory. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "common/log/log.h"
#include "fsd/resolve.h"
#include "fsd/serve.h"

static struct ring *ring;
static volatile sig_atomic_t in_request, came;

static void on_signal(int sig)
{
	(void)sig;
	if (in_request)
		came = 1;
	else
		ring_raise_news(ring);
}

void news_start(struct server *s)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	ring = &s->ring;
	if (sigaction(SIGIO, &sa, NULL) < 0)
		ring = NULL;
}

void news_watch(struct fsd_mount *m)
{
	int fd;

	if (!ring || m->is_file || m->news_fd >= 0)
		return;
	fd = resolve_open(m, m->fd, ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd >= 0 && fcntl(fd, F_NOTIFY, DN_CREATE | DN_DELETE | DN_RENAME | DN_MULTISHOT) < 0) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		log_info("what others change in the root will not be noticed");
	m->news_fd = fd;
}

void news_begin(void)
{
	in_request = 1;
}

static bool in_watched_root(uint64_t id)
{
	const struct node *n = id ? node_get(id) : NULL;

	return n && n->mount->news_fd >= 0 && n->mount->root_node == id;
}

void news_end(const struct fsd_req *q)
{
	in_request = 0;
	if (!came)
		return;
	came = 0;
	if (!in_watched_root(q->node) && !in_watched_root(q->node2))
		ring_raise_news(ring);
}
