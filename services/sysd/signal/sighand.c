/* Tables of handlers (CLONE_SIGHAND). */
#include "services/sysd/event/signalfd.h"
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
	signalfd_cleanup(sh); /* an epoll set may outlive us on the queue */
	free(sh);
}
