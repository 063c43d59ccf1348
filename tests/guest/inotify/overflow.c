/* The queue is bounded; the reader learns that events are lost. */
#include "common.h"
int main(void)
{
	static char buf[1 << 16] __attribute__((aligned(8)));
	long limit = 16384, count = 0, overflow = 0, n;
	int fd;
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");

	if (f) {
		if (fscanf(f, "%ld", &limit) != 1)
			limit = 16384;
		fclose(f);
	}
	start();
	put("a", "x");
	put("b", "x");
	MUST(inotify_add_watch(in, dir, IN_ATTRIB));
	fd = MUST(open(dir, O_RDONLY));
	for (long i = 0; i < limit / 2 + 10; i++) {
		MUST(fchmodat(fd, "a", 0600, 0));
		MUST(fchmodat(fd, "b", 0600, 0));
	}
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (void *)p;

			count++;
			if (e->mask & IN_Q_OVERFLOW) {
				overflow++;
				printf("wd %d, mask %x, len %u\n", e->wd, e->mask, e->len);
			}
			p += sizeof(*e) + e->len;
		}
	}
	printf("%d %ld\n", count == limit + 1, overflow);
	MUST(fchmodat(fd, "a", 0644, 0));
	show("again");
	unlink(at("a"));
	unlink(at("b"));
	rmdir(dir);
	return 0;
}
