/* Hard links and symbolic links. */
#include "tmp.h"
int main(void)
{
	char buf[64];
	struct stat a, b;

	tmp_enter();
	put("a", "one");
	SHOW(link("a", "b"));
	show_stat("a");
	stat("a", &a);
	stat("b", &b);
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	put("b", "two");
	cat("a");
	SHOW(link("a", "b"));
	SHOW(link("none", "c"));
	SHOW(unlink("a"));
	show_stat("b");
	cat("b");
	mkdir("d", 0755);
	SHOW(link("d", "e"));
	SHOW(symlink("b", "s"));
	SHOW(symlink("b", "s"));
	cat("s");
	SHOW(readlink("s", buf, sizeof(buf)));
	SHOW(readlink("s", buf, 0));
	SHOW(readlink("b", buf, sizeof(buf)));
	show_stat("s");
	SHOW(link("s", "s2"));
	show_stat("s2");
	SHOW(linkat(AT_FDCWD, "s", AT_FDCWD, "s3", AT_SYMLINK_FOLLOW));
	show_stat("s3");
	SHOW(symlink("loop", "loop"));
	SHOW_OK(open("loop", O_RDONLY));
	SHOW_OK(open("s", O_RDONLY | O_NOFOLLOW));
	SHOW(symlink("gone", "dangling"));
	SHOW_OK(open("dangling", O_RDONLY));
	SHOW_OK(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644));
	SHOW_OK(open("dangling", O_WRONLY | O_CREAT, 0644));
	show_stat("gone");
	SHOW(symlink("", "empty"));
	SHOW(symlink("../d/../b", "up"));
	list(".");
	return 0;
}
