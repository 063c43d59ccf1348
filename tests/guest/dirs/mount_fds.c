/* The mount calls on descriptors: fsopen, fsconfig, fsmount, move_mount, open_tree, mount_setattr. Needs root. */
#include "fs.h"
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>

#ifndef FSCONFIG_CMD_CREATE
#define FSCONFIG_CMD_CREATE 6
#endif
#define fsopen(a, b) syscall(SYS_fsopen, a, b)
#define fsconfig(a, b, c, d, e) syscall(SYS_fsconfig, a, b, c, d, e)
#define fsmount(a, b, c) syscall(SYS_fsmount, a, b, c)
#define move_mount(a, b, c, d, e) syscall(SYS_move_mount, a, b, c, d, e)
#define open_tree(a, b, c) syscall(SYS_open_tree, a, b, c)

int main(void)
{
	struct { uint64_t set, clr, prop, ns; } attr = {1, 0, 0, 0};
	int fs, m, tree, d;

	if (getuid())
		return 77;
	fs_enter();
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	mkdir("m", 0755);
	mkdir("n", 0755);
	T(fsopen("nosuchfs", 0));
	T(fsopen("tmpfs", 99));
	fs = T(fsopen("tmpfs", FSOPEN_CLOEXEC));
	T(fsmount(fs, 0, 0));
	T(fsconfig(fs, FSCONFIG_SET_STRING, "size", "64k", 0));
	T(fsconfig(fs, FSCONFIG_SET_STRING, "mode", "750", 0));
	T(fsconfig(fs, FSCONFIG_SET_STRING, "source", "mine", 0));
	T(fsconfig(fs, FSCONFIG_SET_STRING, NULL, "x", 0));
	T(fsconfig(fs, 99, NULL, NULL, 0));
	T(fsconfig(-1, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	T(fsconfig(0, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	T(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	m = T(fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID));
	T(fcntl(m, F_GETFD));
	T(mkdirat(m, "inside", 0755));
	T(move_mount(m, "", AT_FDCWD, "none", MOVE_MOUNT_F_EMPTY_PATH));
	T(move_mount(m, "", AT_FDCWD, "m", 0));
	T(move_mount(m, "", AT_FDCWD, "m", MOVE_MOUNT_F_EMPTY_PATH));
	close(m);
	close(fs);
	fs_show("m");
	fs_show("m/inside");
	fs_make("m/file", "text");
	tree = T(open_tree(AT_FDCWD, "m", OPEN_TREE_CLONE));
	d = openat(tree, "file", O_RDONLY);
	T(d >= 0);
	T(move_mount(tree, "", AT_FDCWD, "n", MOVE_MOUNT_F_EMPTY_PATH));
	fs_cat("n/file");
	T(syscall(SYS_mount_setattr, AT_FDCWD, "n", 0, &attr, sizeof(attr)));
	T(open("n/new", O_CREAT | O_RDWR, 0600));
	T(open("m/new", O_CREAT | O_RDWR, 0600) >= 0);
	T(syscall(SYS_mount_setattr, AT_FDCWD, "n/inside", 0, &attr, sizeof(attr)));
	attr.set = 1ull << 40;
	T(syscall(SYS_mount_setattr, AT_FDCWD, "n", 0, &attr, sizeof(attr)));
	T(open_tree(AT_FDCWD, "m", 1 << 30));
	T(open_tree(AT_FDCWD, "m", AT_RECURSIVE));
	tree = open_tree(AT_FDCWD, "m", OPEN_TREE_CLONE);
	T(umount2("m", MNT_DETACH));
	T(faccessat(tree, "file", F_OK, 0));
	close(tree);
	close(d);
	T(umount2("n", MNT_DETACH));
	fs_show("n/file");
	return 0;
}
