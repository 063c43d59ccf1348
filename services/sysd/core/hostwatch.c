/* host_watch: one thread in epoll_wait(2) that posts a note to the executor for each descriptor that
 * became ready. Watches are one-shot: nothing is reported twice unless it is armed again. A watch that is
 * removed while its note is on the way is kept by host_watch_remove until the note has run. */
#include "services/sysd/core/sched.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "services/sysd/core/host.h"

#define WATCH_STACK (64 * 1024)

#define WATCH_MAX 1024

static int epfd = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards slots and posted */
/* Events name a slot and its generation, never a watch: an event that epoll_wait returned before a
 * watch was removed finds nothing. */
static struct watch_slot {
	struct host_watch *watch;
	uint32_t generation;
} slots[WATCH_MAX];

static void watch_fire(void *arg)
{
	struct host_watch *w = arg;
	uint32_t revents;

	pthread_mutex_lock(&lock);
	revents = w->revents;
	w->posted = false;
	pthread_mutex_unlock(&lock);
	if (!w->removed && w->armed) {
		w->armed = false;
		w->fn(w->arg, revents);
	}
}

static void *watch_thread(void *unused)
{
	struct epoll_event ev[16];

	for (;;) {
		int n = epoll_wait(epfd, ev, 16, -1);

		pthread_mutex_lock(&lock);
		for (int i = 0; i < n; i++) {
			struct watch_slot *slot = &slots[ev[i].data.u64 >> 32];
			struct host_watch *w = slot->watch;

			if (!w || slot->generation != (uint32_t)ev[i].data.u64 || w->posted)
				continue;
			w->posted = true;
			w->revents = ev[i].events;
			w->note.fn = watch_fire;
			w->note.arg = w;
			sched_post(&w->note);
		}
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int host_watch_start(void)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t t;
	int ret;

	epfd = epoll_create1(EPOLL_CLOEXEC);
	if (epfd < 0)
		return -errno;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WATCH_STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	ret = -pthread_create(&t, &attr, watch_thread, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return ret;
}

static int watch_ctl(struct host_watch *w, int op, uint32_t events)
{
	struct epoll_event ev = {
	    .events = events | EPOLLONESHOT,
	    .data.u64 = (uint64_t)w->slot << 32 | slots[w->slot].generation,
	};

	return epoll_ctl(epfd, op, w->fd, &ev) < 0 ? -errno : 0;
}

int host_watch_add(struct host_watch *w, int fd, void (*fn)(void *, uint32_t), void *arg)
{
	uint32_t slot;
	int ret;

	w->fd = fd;
	w->fn = fn;
	w->arg = arg;
	w->armed = w->posted = w->removed = false;
	pthread_mutex_lock(&lock);
	for (slot = 0; slot < WATCH_MAX && slots[slot].watch; slot++)
		;
	if (slot < WATCH_MAX) {
		slots[slot].watch = w;
		slots[slot].generation++;
	}
	pthread_mutex_unlock(&lock);
	if (slot == WATCH_MAX)
		return -ENOSPC;
	w->slot = slot;
	/* Without events only errors and hang-ups fire; those wait for the arming too. */
	ret = watch_ctl(w, EPOLL_CTL_ADD, 0);
	if (ret < 0) {
		pthread_mutex_lock(&lock);
		slots[slot].watch = NULL;
		pthread_mutex_unlock(&lock);
	}
	return ret;
}

int host_watch_arm(struct host_watch *w, uint32_t events)
{
	w->armed = true;
	return watch_ctl(w, EPOLL_CTL_MOD, events);
}

void host_watch_remove(struct host_watch *w)
{
	bool posted;

	epoll_ctl(epfd, EPOLL_CTL_DEL, w->fd, NULL);
	pthread_mutex_lock(&lock);
	slots[w->slot].watch = NULL;
	w->removed = true;
	posted = w->posted;
	pthread_mutex_unlock(&lock);
	while (posted && sched_current()) {
		sched_yield_strand();
		pthread_mutex_lock(&lock);
		posted = w->posted;
		pthread_mutex_unlock(&lock);
	}
}
