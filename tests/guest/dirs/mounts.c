/* mount(2) in a namespace of its own: tmpfs, bind, read-only, moves, busy. Needs to begin as root. */
#include "fs.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>

int main(void)
{
	struct stat a, b;
	struct statfs sf;
	char buf[4096];
	int fd, n;

	if (getuid())
		return 77;
	fs_enter();
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	mkdir("m", 0755);
	mkdir("n", 0755);
	fs_make("f", "under");
	T(mount("none", "m", "nosuchfs", 0, NULL));
	T(mount("none", "none", "tmpfs", 0, NULL));
	T(mount("none", "f", "tmpfs", 0, NULL));
	T(mount("none", "m", "tmpfs", 0, "nonsense=1"));
	T(mount("none", "m", "tmpfs", MS_NOSUID, "size=64k,mode=750"));
	fs_show("m");
	T(statfs("m", &sf));
	printf("%lx %ld %ld\n", (long)sf.f_type, (long)sf.f_bsize, (long)sf.f_blocks);
	stat("m", &a);
	stat(".", &b);
	printf("other device %i\n", a.st_dev != b.st_dev);
	stat("m/..", &a);
	printf("up again %i\n", a.st_ino == b.st_ino);
	T(rmdir("m"));
	T(rename("m", "x"));
	T(rename("f", "m/f"));
	T(link("f", "m/f"));
	fd = open("m/big", O_CREAT | O_RDWR, 0644);
	memset(buf, 1, sizeof(buf));
	n = 0;
	while (write(fd, buf, sizeof(buf)) == sizeof(buf))
		n++;
	printf("%i pages, then %s\n", n, strerrorname_np(errno));
	T(umount("m"));
	close(fd);
	T(mount("m", "n", NULL, MS_BIND, NULL));
	fs_show("n/big");
	T(mount(NULL, "n", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
	T(open("n/big", O_RDWR));
	T(open("n/new", O_CREAT | O_RDWR, 0600));
	T(open("n/big", O_CREAT | O_RDONLY, 0600) > 0);
	T(mkdir("n/d", 0700));
	T(unlink("n/big"));
	T(unlink("n/none"));
	T(chmod("n/big", 0600));
	T(access("n/big", W_OK));
	T(unlink("m/big"));
	fs_show("n/big");
	close(open("n/big", O_RDONLY));
	T(umount2("n", MNT_DETACH));
	T(umount("n"));
	T(mkdir("m/sub", 0755));
	T(mount("m", "m/sub", NULL, MS_MOVE, NULL));
	T(mount("m", "n", NULL, MS_MOVE, NULL));
	fs_show("n/sub");
	fs_show("m/sub");
	fs_make("file", "other");
	T(mount("file", "f", NULL, MS_BIND, NULL));
	fs_cat("f");
	T(unlink("f"));
	T(umount("f"));
	fs_cat("f");
	T(umount2("n", 1 << 20));
	T(umount2("n", MNT_EXPIRE));
	T(umount2("n", MNT_EXPIRE));
	T(umount("n"));
	return 0;
}
