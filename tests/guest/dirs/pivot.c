/* pivot_root(2), chroot(2) and what is reachable afterwards. Needs to begin as root. */
#include "fs.h"
#include <sched.h>
#include <sys/mount.h>

int main(void)
{
	char buf[4096];
	struct stat st;
	int fd;

	if (getuid())
		return 77;
	fs_enter();
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	mkdir("new", 0755);
	mkdir("dir", 0755);
	T(syscall(SYS_pivot_root, "new", "new"));
	T(mount("none", "new", "tmpfs", 0, NULL));
	mkdir("new/old", 0755);
	mkdir("new/sub", 0755);
	fs_make("new/here", "here");
	T(syscall(SYS_pivot_root, "new", "dir"));
	T(syscall(SYS_pivot_root, "new", "none"));
	T(syscall(SYS_pivot_root, "new/here", "new/old"));
	T(syscall(SYS_pivot_root, "new/sub", "new/sub"));
	fd = open("/", O_RDONLY);
	T(syscall(SYS_pivot_root, "new", "new/old"));
	T(chdir("/"));
	fs_cat("here");
	T(stat("/old/etc/passwd", &st));
	T(stat("/etc/passwd", &st));
	T(umount("/old"));
	T(umount2("/old", MNT_DETACH));
	T(stat("/old/etc", &st));
	T(fstatat(fd, "etc/passwd", &st, 0));
	T(chroot("sub"));
	T(stat("/here", &st));
	T(stat("here", &st));
	T(syscall(SYS_getcwd, buf, sizeof(buf)) > 0);
	printf("%s\n", buf);
	T(chdir("/.."));
	T(stat("here", &st));
	T(fchdir(fd));
	T(syscall(SYS_getcwd, buf, sizeof(buf)) > 0);
	printf("%s\n", buf);
	T(chroot("."));
	T(chdir(fs_dir));
	return 0;
}
