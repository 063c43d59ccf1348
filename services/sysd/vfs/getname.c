/* Paths from guest memory, in buffers of PATH_MAX bytes that are kept for the next call. */
#include "services/sysd/vfs/internal.h"

#include "services/sysd/mm/usercopy.h"

#define CACHED 16

static char *cache[CACHED];
static unsigned cached;

char *path_buf_new(void)
{
	return cached ? cache[--cached] : malloc(PATH_MAX);
}

void path_buf_put(char *buf)
{
	if (!buf)
		return;
	if (cached < CACHED)
		cache[cached++] = buf;
	else
		free(buf);
}

int path_buf_get(struct task *t, uint64_t uaddr, bool empty_ok, char **ret)
{
	char *buf = path_buf_new();
	ssize_t n;

	if (!buf)
		return -ENOMEM;
	n = user_read_str(t, buf, uaddr, PATH_MAX);
	if (!n && !empty_ok)
		n = -ENOENT;
	if (n < 0) {
		path_buf_put(buf);
		return (int)n;
	}
	*ret = buf;
	return 0;
}
