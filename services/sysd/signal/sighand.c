/* Tables of handlers (CLONE_SIGHAND). */
#include <sys/epoll.h>
#include "services/sysd/signal/internal.h"

struct sighand *sighand_new(void)
{
	struct sighand *sh = calloc(1, sizeof(*sh));

	if (!sh)
		return NULL;
	sh->refs = 1;
	waitq_init(&sh->signalfd_wait);
	return sh;
}

struct sighand *sighand_dup(const struct sighand *sh)
{
	struct sighand *copy = sighand_new();

	if (copy)
		memcpy(copy->action, sh->action, sizeof(copy->action));
	return copy;
}

void sighand_unref(struct sighand *sh)
{
	if (!sh || --sh->refs)
		return;
	waitq_end(&sh->signalfd_wait, EPOLLHUP); /* who watches a signalfd with epoll or aio may outlive us */
	free(sh);
}
