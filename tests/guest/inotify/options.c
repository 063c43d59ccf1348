/* Masks and options: ONESHOT, MASK_ADD, MASK_CREATE, ONLYDIR, EXCL_UNLINK; errors; numbers. */
#include "common.h"
#include <poll.h>
#ifndef IN_MASK_CREATE
#define IN_MASK_CREATE 0x10000000
#endif
int main(void)
{
	int wd, wd2, fd, n;
	struct pollfd p;
	char small[20];

	start();
	put("f", "x");
	SAY_AS("init1", inotify_init1(0x1234));
	SAY_AS("no bits", inotify_add_watch(in, dir, 0));
	SAY_AS("no path", inotify_add_watch(in, at("none"), IN_ALL_EVENTS));
	SAY_AS("bad fd", inotify_add_watch(99, dir, IN_ALL_EVENTS));
	SAY_AS("not inotify", inotify_add_watch(0, dir, IN_ALL_EVENTS));
	SAY_AS("onlydir", inotify_add_watch(in, at("f"), IN_ALL_EVENTS | IN_ONLYDIR));
	SAY_AS("fault", inotify_add_watch(in, BAD, IN_ALL_EVENTS));
	wd = (int)SAY_AS("first", inotify_add_watch(in, dir, IN_CREATE));
	SAY_AS("same", inotify_add_watch(in, dir, IN_DELETE) == wd);
	put("a", "x");
	show("replaced mask");
	SAY_AS("add", inotify_add_watch(in, dir, IN_CREATE | IN_MASK_ADD) == wd);
	put("b", "x");
	unlink(at("b"));
	show("added mask");
	SAY_AS("mask create", inotify_add_watch(in, dir, IN_CREATE | IN_MASK_CREATE));
	SAY_AS("both", inotify_add_watch(in, dir, IN_CREATE | IN_MASK_CREATE | IN_MASK_ADD));
	wd2 = (int)SAY_AS("oneshot", inotify_add_watch(in, at("f"), IN_MODIFY | IN_ONESHOT));
	put("f", "1");
	put("f", "2");
	show("oneshot");
	SAY_AS("rm", inotify_rm_watch(in, wd2));
	SAY_AS("next", inotify_add_watch(in, at("f"), IN_MODIFY));
	MUST(symlink("f", at("l")));
	show("symlink");
	SAY_AS("link", inotify_add_watch(in, at("l"), IN_ALL_EVENTS | IN_DONT_FOLLOW));
	SAY_AS("followed", inotify_add_watch(in, at("l"), IN_MODIFY));
	p = (struct pollfd){in, POLLIN, 0};
	SAY(poll(&p, 1, 0));
	put("c", "x");
	SAY(poll(&p, 1, 0));
	MUST(ioctl(in, FIONREAD, &n));
	printf("%d\n", n);
	SAY(read(in, small, 4));
	SAY(read(in, small, 16));
	show("read whole");
	SAY_AS("excl", inotify_add_watch(in, dir, IN_MODIFY | IN_DELETE | IN_EXCL_UNLINK));
	fd = MUST(open(at("c"), O_WRONLY));
	MUST(unlink(at("c")));
	MUST(write(fd, "x", 1));
	show("excluded");
	SAY_AS("not excl", inotify_add_watch(in, dir, IN_MODIFY | IN_DELETE));
	MUST(write(fd, "x", 1));
	show("not excluded");
	close(fd);
	unlink(at("a"));
	unlink(at("l"));
	unlink(at("f"));
	rmdir(dir);
	return 0;
}
