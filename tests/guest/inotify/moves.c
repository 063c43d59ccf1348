/* Moves between watched directories, cookies, and a blocking read. */
#include "common.h"
int main(void)
{
	start();
	MUST(mkdir(at("x"), 0755));
	MUST(mkdir(at("y"), 0755));
	put("x/a", "1");
	put("x/b", "1");
	MUST(inotify_add_watch(in, at("x"), IN_MOVE | IN_CREATE | IN_DELETE));
	MUST(inotify_add_watch(in, at("y"), IN_MOVE | IN_CREATE | IN_DELETE | IN_MOVE_SELF));
	MUST(rename(at("x/a"), at("y/a")));
	show("between");
	MUST(rename(at("x/b"), at("out")));
	show("out");
	MUST(rename(at("out"), at("y/in")));
	show("in");
	MUST(renameat2(AT_FDCWD, at("y/a"), AT_FDCWD, at("y/in"), RENAME_EXCHANGE));
	show("exchange");
	MUST(rename(at("y/a"), at("y/a")));
	show("itself");
	MUST(rename(at("y"), at("z")));
	show("the directory");
	MUST(rename(at("z/a"), at("x/a")));
	show("back");
	fcntl(in, F_SETFL, 0);
	fflush(stdout);
	if (!MUST(fork())) {
		sleep_ms(30);
		unlink(at("x/a"));
		_exit(0);
	}
	show("blocking");
	wait(NULL);
	unlink(at("z/in"));
	rmdir(at("x"));
	rmdir(at("z"));
	rmdir(dir);
	return 0;
}
