#include "services/sysd/core/settle.h"

#include <stddef.h>
#include "services/sysd/core/sched.h"

static const struct settle_ops *ops;

void settle_set_ops(const struct settle_ops *o)
{
	ops = o;
}

bool settle_pending(void)
{
	return ops && ops->pending();
}

void settle(void)
{
	if (settle_pending() && sched_current())
		ops->wait();
}
