/* Watching a file itself: attributes, links, the end of it. */
#include "common.h"
int main(void)
{
	int fd, wd;

	start();
	put("f", "x");
	wd = MUST(inotify_add_watch(in, at("f"), IN_ALL_EVENTS));
	put("f", "y");
	show("write");
	MUST(chmod(at("f"), 0600));
	show("chmod");
	MUST(link(at("f"), at("g")));
	show("link");
	MUST(unlink(at("g")));
	show("unlink a second name");
	MUST(rename(at("f"), at("h")));
	show("rename");
	MUST(utimensat(AT_FDCWD, at("h"), NULL, 0));
	show("utimens");
	MUST(truncate(at("h"), 0));
	show("truncate");
	fd = MUST(open(at("h"), O_RDONLY));
	MUST(unlink(at("h")));
	show("unlink while open");
	close(fd);
	show("close");
	SAY_AS("rm", inotify_rm_watch(in, wd));
	MUST(mkdir(at("d"), 0755));
	wd = MUST(inotify_add_watch(in, at("d"), IN_ALL_EVENTS));
	MUST(rename(at("d"), at("e")));
	show("rename of a directory");
	MUST(rmdir(at("e")));
	show("rmdir");
	put("over", "x");
	put("by", "x");
	MUST(inotify_add_watch(in, at("over"), IN_DELETE_SELF | IN_ATTRIB));
	MUST(rename(at("by"), at("over")));
	show("renamed over");
	unlink(at("over"));
	rmdir(dir);
	return 0;
}
