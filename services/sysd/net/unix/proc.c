/* /proc/net/unix. */
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/fs/proc/proc.h"
#include "services/sysd/net/unix/unix.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"

#define ACCEPTS 0x10000 /* __SO_ACCEPTCON */

/* States of the line: SS_UNCONNECTED 1, SS_CONNECTED 3. */
static unsigned state_of(const struct unix_sock *u)
{
	return u->peer || u->s.state == SS_ESTABLISHED ? 3 : 1;
}

static void put_name(struct seqbuf *s, const struct unix_sock *u)
{
	size_t size = u->addr ? u->addr->size - UNIX_PATH_OFF : 0;
	const char *path = size ? u->addr->un.path : NULL;

	if (!size)
		return;
	seq_putc(s, ' ');
	if (path[0]) {
		size = strnlen(path, size);
		seq_write(s, path, size);
		return;
	}
	for (size_t i = 0; i < size; i++)
		seq_putc(s, path[i] ? path[i] : '@');
}

static PROC_SHOW(show_unix)
{
	struct task *cur = current_task();
	struct net_ns *ns = t ? t->ns->net : cur ? cur->ns->net : NULL;
	struct unix_sock *u;

	seq_puts(s, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	LIST_FOR_EACH (u, unix_all(), all_node) {
		if (u->s.ns != ns)
			continue;
		seq_printf(s, "%016d: %08X %08X %08X %04X %02X %5llu", 0, u->s.refs, 0,
			   u->s.state == SS_LISTEN ? ACCEPTS : 0, u->s.type, state_of(u),
			   (unsigned long long)(u->s.file ? u->s.file->inode->ino : 0));
		put_name(s, u);
		seq_putc(s, '\n');
	}
	return 0;
}

__attribute__((constructor)) static void register_unix(void)
{
	proc_net_register("unix", show_unix);
}
