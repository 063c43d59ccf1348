/* Symbolic links in the middle and at the end of paths, chains, loops, trailing slashes. */
#include "fs.h"

int main(void)
{
	char name[32], target[32], buf[64], *big;
	struct stat st;

	fs_enter();
	mkdir("d", 0755);
	fs_make("d/f", "x");
	T(symlink("f", "d/rel"));
	T(symlink("d", "dir"));
	T(symlink("../d/rel", "d/up"));
	T(symlink("", "empty"));
	T(symlink("x", ""));
	T(symlink("x", "d"));
	T(symlink("x", "new/"));
	T(symlink("x", "none/new"));
	fs_cat("dir/up");
	fs_show("dir");
	fs_show("dir/");
	T(readlink("dir", buf, sizeof(buf)));
	T(readlink("dir", buf, 0));
	T(readlink("dir/", buf, sizeof(buf)));
	T(readlink("d", buf, sizeof(buf)));
	T(readlink("none", buf, sizeof(buf)));
	T(readlink("d/up", buf, 3));
	T(stat("d/f/..", &st));
	T(stat("dir/f/", &st));
	T(symlink("loop2", "loop1"));
	T(symlink("loop1", "loop2"));
	T(stat("loop1", &st));
	T(open("loop1", O_RDONLY));
	T(open("loop1/x", O_RDONLY));
	T(open("loop1", O_CREAT | O_RDWR, 0600));
	T(chmod("loop1", 0600));
	T(symlink("self/x", "self"));
	T(stat("self", &st));
	for (int i = 0; i <= 41; i++) {
		snprintf(name, sizeof(name), "c%i", i);
		snprintf(target, sizeof(target), i ? "c%i" : "d/f", i - 1);
		symlink(target, name);
	}
	T(stat("c38", &st));
	T(stat("c39", &st));
	T(stat("c40", &st));
	T(rmdir("dir"));
	T(rmdir("dir/"));
	T(unlink("dir/"));
	T(mkdir("dir", 0755));
	T(mkdir("dang/", 0755));
	T(symlink("made", "dang2"));
	T(mkdir("dang2", 0755));
	T(rename("dir", "moved"));
	fs_show("moved");
	T(rename("moved/", "again"));
	T(lchown("moved", 0, 0));
	big = malloc(5000);
	memset(big, 'x', 4999);
	big[4999] = 0;
	printf("%i\n", symlink(big, "big") < 0 ? errno : 0);
	printf("%i\n", stat(big, &st) < 0 ? errno : 0);
	big[256] = 0;
	T(symlink("x", big));
	big[255] = 0;
	T(symlink("x", big));
	return 0;
}
