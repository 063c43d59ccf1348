/* Who wants SIGIO from a thing that several open files share (a pipe, a socket): the VFS keeps the
 * owner and the O_ASYNC flag in each file, this keeps which files to ask. */
#ifndef SYSD_EVENT_FASYNC_H
#define SYSD_EVENT_FASYNC_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"

struct file;
struct fasync {
	struct list entries;
};

/* si_code values of SIGIO. */
#define ABI_POLL_IN 1
#define ABI_POLL_OUT 2
#define ABI_POLL_MSG 3
#define ABI_POLL_ERR 4
#define ABI_POLL_PRI 5
#define ABI_POLL_HUP 6

static inline void fasync_init(struct fasync *fa)
{
	list_init(&fa->entries);
}
/* For file_ops.setfl: enters or removes f as `flags` (O_ASYNC) says. 0 or -ENOMEM. */
int fasync_setfl(struct fasync *fa, struct file *f, unsigned flags);
/* At the file's release. */
void fasync_remove(struct fasync *fa, struct file *f);
void fasync_send_slow(struct fasync *fa, int code, uint32_t band);
static inline void fasync_send(struct fasync *fa, int code, uint32_t band)
{
	if (!list_empty(&fa->entries))
		fasync_send_slow(fa, code, band);
}

#endif
