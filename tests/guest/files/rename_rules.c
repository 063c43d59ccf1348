/* rename(2): what may replace what, and in which order errors come. */
#include "fs.h"

int main(void)
{
	fs_enter();
	mkdir("d", 0755);
	mkdir("d/sub", 0755);
	mkdir("e", 0755);
	fs_make("a", "A");
	fs_make("b", "B");
	fs_make("d/f", "F");
	T(rename("none", "x"));
	T(rename("none", "none/x"));
	T(rename("a", "none/x"));
	T(rename("a", "b/x"));
	T(rename("a/", "x"));
	T(rename("a", "x/"));
	T(rename("a", "e"));
	T(rename("a", "e/"));
	T(rename("e", "a"));
	T(rename("e", "d"));
	T(rename("d", "d/sub/x"));
	T(rename("d", "d/x"));
	T(rename("d/sub", "d"));
	T(rename("d", "d/sub"));
	T(rename("d", "d"));
	T(rename("d", "d/."));
	T(rename("d/.", "x"));
	T(rename("d/..", "x"));
	T(rename("d", "e/.."));
	T(rename("/", "x"));
	T(rename("a", "/"));
	T(rename("", "x"));
	T(rename("a", ""));
	T(rename("a", "a"));
	link("a", "h");
	T(rename("a", "h"));
	fs_show("a");
	T(rename("a", "b"));
	fs_cat("b");
	fs_show("a");
	T(rename("d", "e"));
	fs_show("e/sub");
	T(rename("e/", "f/"));
	fs_show("f/f");
	T(rename("f/sub", "sub"));
	T(rename("f/f", "sub/f"));
	T(rmdir("f"));
	fs_cat("sub/f");
	return 0;
}
