/* The *at calls relative to descriptors of all kinds. */
#include "fs.h"

int main(void)
{
	struct stat st;
	char buf[64];
	int d, f, p;

	fs_enter();
	mkdir("d", 0755);
	fs_make("d/f", "F");
	d = open("d", O_RDONLY);
	f = open("d/f", O_RDONLY);
	p = open("d", O_PATH);
	T(mkdirat(d, "sub", 0755));
	T(mkdirat(f, "sub", 0755));
	T(mkdirat(-1, "sub", 0755));
	T(mkdirat(p, "sub2", 0755));
	T(mkdirat(-1, "/tmp", 0755));
	T(symlinkat("f", d, "link"));
	T(readlinkat(d, "link", buf, sizeof(buf)));
	T(readlinkat(d, "f", buf, sizeof(buf)));
	T(readlinkat(open("d/link", O_PATH | O_NOFOLLOW), "", buf, sizeof(buf)));
	T(readlinkat(d, "", buf, sizeof(buf)));
	T(linkat(d, "f", p, "g", 0));
	T(renameat(d, "g", AT_FDCWD, "g"));
	T(renameat(d, "none", AT_FDCWD, "g"));
	T(fstatat(p, "f", &st, 0));
	T(unlinkat(d, "sub", 0));
	T(unlinkat(d, "sub", AT_REMOVEDIR));
	T(unlinkat(d, "f", AT_REMOVEDIR));
	T(faccessat(d, "f", R_OK, 0));
	T(fchmodat(d, "f", 0600, 0));
	T(fchownat(d, "f", -1, -1, 0));
	T(fchownat(f, "", -1, -1, AT_EMPTY_PATH));
	T(fchownat(f, "", -1, -1, 0));
	T(mknodat(d, "fifo", S_IFIFO | 0600, 0));
	T(openat(d, "../g", O_RDONLY) > 0);
	T(openat(f, "../g", O_RDONLY));
	rename("d", "e");
	T(openat(d, "f", O_RDONLY) > 0);
	unlinkat(d, "sub2", AT_REMOVEDIR);
	unlinkat(d, "f", 0);
	unlinkat(d, "link", 0);
	unlinkat(d, "fifo", 0);
	T(rmdir("e"));
	T(openat(d, "x", O_CREAT | O_RDWR, 0600));
	T(fstatat(d, ".", &st, 0));
	T(fstatat(d, "x", &st, 0));
	return 0;
}
