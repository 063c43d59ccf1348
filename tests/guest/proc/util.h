#include "tests/guest/show.h"
#include <fcntl.h>
/* The whole file, NUL-terminated; its size or -1. */
__attribute__((unused)) static ssize_t slurp(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n, total = 0;

	if (fd < 0)
		return -1;
	while ((n = read(fd, buf + total, size - 1 - (size_t)total)) > 0)
		total += n;
	close(fd);
	buf[total] = 0;
	return n < 0 ? -1 : total;
}
/* The rest of the line that begins with `key`. */
__attribute__((unused)) static const char *line(const char *text, const char *key)
{
	static char out[256];
	const char *p = text;
	size_t k = strlen(key);

	while (p && strncmp(p, key, k)) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	if (!p)
		return "(missing)";
	p += k;
	snprintf(out, sizeof(out), "%.*s", (int)strcspn(p, "\n"), p);
	return out;
}
