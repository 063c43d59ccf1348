/* link(2): counts, errors, what unlinked files are. */
#include "fs.h"

int main(void)
{
	struct stat st;
	char buf[16] = "";
	int fd;

	fs_enter();
	fs_make("a", "content");
	T(link("a", "b"));
	fs_show("b");
	T(link("a", "b"));
	T(link("none", "c"));
	T(link("a", "none/c"));
	T(link("a", "c/"));
	T(link("a/", "c"));
	mkdir("d", 0755);
	T(link("d", "e"));
	T(link("d", "a"));
	T(link("", "e"));
	T(link("a", ""));
	symlink("a", "l");
	T(link("l", "hard"));
	fs_show("hard");
	T(linkat(AT_FDCWD, "l", AT_FDCWD, "soft", AT_SYMLINK_FOLLOW));
	fs_show("soft");
	T(linkat(AT_FDCWD, "l", AT_FDCWD, "soft2", 1 << 20));
	T(linkat(AT_FDCWD, "a", AT_FDCWD, "d/..", 0));
	T(linkat(AT_FDCWD, "a", AT_FDCWD, "/", 0));
	fd = open("a", O_RDWR);
	T(unlink("a"));
	T(unlink("b"));
	T(unlink("soft"));
	T(fstat(fd, &st));
	printf("links %lu\n", (unsigned long)st.st_nlink);
	T(read(fd, buf, 16));
	T(linkat(fd, "", AT_FDCWD, "back", AT_EMPTY_PATH));
	T(ftruncate(fd, 3));
	T(unlink("a"));
	T(unlink("d"));
	T(unlink("d/"));
	T(unlink("."));
	T(unlink(".."));
	T(unlink("/"));
	T(unlink(""));
	T(unlink("l"));
	T(unlinkat(AT_FDCWD, "d", 0));
	T(unlinkat(AT_FDCWD, "d", 1));
	T(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
	return 0;
}
