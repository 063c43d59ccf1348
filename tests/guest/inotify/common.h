#include "../say.h"
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
static int in;
static char dir[64];
static inline char *at(const char *name)
{
	static char path[4][128];
	static int i;

	i = (i + 1) & 3;
	snprintf(path[i], sizeof(path[i]), "%s%s%s", dir, *name ? "/" : "", name);
	return path[i];
}
/* Prints and takes all events that are there; cookies are numbered as they come. */
static inline void show(const char *what)
{
	char buf[8192] __attribute__((aligned(8)));
	static uint32_t cookies[32];
	static int count;
	ssize_t n = read(in, buf, sizeof(buf));

	printf("%s:", what);
	if (n < 0)
		printf(" %s", strerrorname_np(errno));
	for (char *p = buf; p < buf + n;) {
		struct inotify_event *e = (void *)p;
		int c = 0;

		if (e->cookie) {
			for (c = 0; c < count && cookies[c] != e->cookie; c++)
				;
			if (c == count && count < 31)
				cookies[count++] = e->cookie;
			c++;
		}
		printf(" [%d %x", e->wd, e->mask);
		if (c)
			printf(" #%d", c);
		if (e->len)
			printf(" %s", e->name);
		printf("]");
		p += sizeof(*e) + e->len;
	}
	printf("\n");
}
static inline void start(void)
{
	strcpy(dir, "/tmp/inotifyXXXXXX");
	if (!mkdtemp(dir))
		exit(1);
	in = (int)MUST(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}
static inline void put(const char *name, const char *text)
{
	int fd = (int)MUST(open(at(name), O_WRONLY | O_CREAT, 0644));

	MUST(write(fd, text, strlen(text)));
	close(fd);
}
