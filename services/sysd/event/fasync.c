/* Lists of files that want SIGIO; see fasync.h. */
#include "services/sysd/event/fasync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "services/sysd/vfs/file.h"

struct fasync_entry {
	struct list node;
	struct file *file; /* no reference: removed at its release */
};

static struct fasync_entry *find(struct fasync *fa, struct file *f)
{
	struct fasync_entry *e;

	LIST_FOR_EACH(e, &fa->entries, node) {
		if (e->file == f)
			return e;
	}
	return NULL;
}

void fasync_remove(struct fasync *fa, struct file *f)
{
	struct fasync_entry *e = find(fa, f);

	if (e) {
		list_del(&e->node);
		free(e);
	}
}

int fasync_setfl(struct fasync *fa, struct file *f, unsigned flags)
{
	struct fasync_entry *e;

	if (!(flags & O_ASYNC)) {
		fasync_remove(fa, f);
		return 0;
	}
	if (find(fa, f))
		return 0;
	e = malloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->file = f;
	list_add_tail(&fa->entries, &e->node);
	return 0;
}

void fasync_send_slow(struct fasync *fa, int code, uint32_t band)
{
	struct fasync_entry *e;

	LIST_FOR_EACH(e, &fa->entries, node)
		file_sigio(e->file, code, band);
}
