/* chown(2) and what an ordinary user may not do. Needs to begin as root. */
#include "fs.h"
#include <grp.h>

int main(void)
{
	int fd;

	if (getuid())
		return 77;
	fs_enter();
	chmod(".", 0777);
	fs_make("root", "r");
	fs_make("mine", "m");
	mkdir("sticky", 0777);
	chmod("sticky", 01777);
	fs_make("sticky/root", "r");
	mkdir("sticky/rootdir", 0755);
	mkdir("closed", 0700);
	fs_make("closed/f", "f");
	chmod("mine", 06755);
	T(chown("mine", 1234, 1234));
	fs_show("mine");
	chmod("mine", 06755);
	T(chown("mine", -1, -1));
	fs_show("mine");
	chmod("mine", 06745);
	T(chown("mine", -1, 1234));
	fs_show("mine");
	symlink("mine", "l");
	T(lchown("l", 5, 6));
	fs_show("l");
	T(chown("none", 1, 1));
	gid_t groups[1] = {77};
	setgroups(1, groups);
	T(setresgid(1234, 1234, 1234));
	T(setresuid(1234, 1234, 0));
	T(chown("root", 1234, -1));
	T(chown("mine", 0, -1));
	T(chown("mine", 1234, 1234));
	T(chown("mine", -1, 77));
	T(chown("mine", -1, 78));
	T(chmod("root", 0777));
	T(chmod("mine", 02755));
	fs_show("mine");
	fd = open("mine", O_WRONLY);
	T(write(fd, "x", 1));
	fs_show("mine");
	T(open("root", O_RDWR));
	T(open("root", O_RDONLY));
	T(open("closed/f", O_RDONLY));
	T(open("closed/none", O_RDONLY));
	T(unlink("sticky/root"));
	T(rename("sticky/root", "sticky/x"));
	T(rmdir("sticky/rootdir"));
	fs_make("sticky/own", "o");
	T(rename("sticky/own", "sticky/root"));
	T(unlink("sticky/own"));
	T(unlink("root"));
	T(access("closed", X_OK));
	T(mknod("dev", S_IFCHR | 0600, 0x0103));
	T(mknod("fifo", S_IFIFO | 0600, 0));
	T(chroot("."));
	T(utimensat(AT_FDCWD, "closed", NULL, 0));
	struct timespec ts[2] = {{1, 0}, {2, 0}};
	T(utimensat(AT_FDCWD, "sticky", NULL, 0));
	T(utimensat(AT_FDCWD, "sticky", ts, 0));
	T(open("sticky/own2", O_CREAT | O_RDWR | O_NOATIME, 0600));
	T(open("/etc/passwd", O_RDONLY | O_NOATIME));
	T(truncate("/etc/passwd", 0));
	T(setresuid(0, 0, 0));
	return 0;
}
