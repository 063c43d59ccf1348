/* What happens in a watched directory. */
#include "common.h"
int main(void)
{
	int fd, wd;
	char c[8];

	start();
	wd = (int)SAY_AS("watch", inotify_add_watch(in, dir, IN_ALL_EVENTS));
	show("nothing");
	put("a", "text");
	show("create and write");
	fd = MUST(open(at("a"), O_RDWR));
	MUST(read(fd, c, 4));
	MUST(read(fd, c, 4));
	show("open and read");
	MUST(pwrite(fd, "x", 1, 0));
	MUST(pwrite(fd, "y", 1, 0));
	show("equal neighbours");
	MUST(ftruncate(fd, 2));
	show("truncate");
	MUST(fchmod(fd, 0600));
	show("chmod");
	close(fd);
	show("close");
	MUST(mkdir(at("d"), 0755));
	MUST(rmdir(at("d")));
	show("mkdir, rmdir");
	MUST(link(at("a"), at("b")));
	show("link");
	MUST(symlink("a", at("s")));
	show("symlink");
	MUST(rename(at("a"), at("c")));
	show("rename");
	MUST(rename(at("c"), at("s")));
	show("rename over");
	MUST(mkfifo(at("f"), 0600));
	show("mkfifo");
	unlink(at("b"));
	unlink(at("s"));
	unlink(at("f"));
	show("unlink");
	SAY_AS("no such", open(at("none"), O_RDONLY));
	show("no such");
	fd = MUST(open(dir, O_RDONLY | O_DIRECTORY));
	close(fd);
	show("open of the directory");
	SAY_AS("rm", inotify_rm_watch(in, wd));
	show("removed");
	SAY_AS("rm again", inotify_rm_watch(in, wd));
	rmdir(dir);
	show("end");
	return 0;
}
