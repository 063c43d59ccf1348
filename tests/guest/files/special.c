/* mknod(2): types, permissions, what opening a socket or a device that is not there says. */
#include "fs.h"
#include <sys/sysmacros.h>

int main(void)
{
	fs_enter();
	T(mknod("reg", S_IFREG | 0600, 0));
	T(mknod("reg0", 0600, 0));
	T(mknod("fifo", S_IFIFO | 0622, 0));
	T(mknod("sock", S_IFSOCK | 0600, 0));
	T(mknod("dir", S_IFDIR | 0700, 0));
	T(mknod("lnk", S_IFLNK | 0700, 0));
	T(mknod("what", 0150000 | 0700, 0));
	T(mknod("reg", S_IFREG | 0600, 0));
	T(mknod("x/", S_IFREG | 0600, 0));
	fs_show("reg");
	fs_show("reg0");
	fs_show("fifo");
	fs_show("sock");
	T(open("sock", O_RDONLY));
	T(open("sock", O_PATH));
	T(open("fifo", O_WRONLY | O_NONBLOCK));
	T(open("fifo", O_RDONLY | O_NONBLOCK));
	T(open("fifo", O_WRONLY | O_NONBLOCK));
	T(open("fifo", O_RDWR | O_DIRECTORY));
	T(lseek(4, 0, SEEK_SET));
	T(pread(4, "", 0, 0));
	T(ftruncate(5, 0));
	T(fallocate(5, 0, 0, 1));
	T(write(5, "abc", 3));
	char buf[8];
	T(read(4, buf, 8));
	T(read(4, buf, 8));
	T(fsync(4));
	T(unlink("fifo"));
	T(write(5, "abc", 3));
	T(read(4, buf, 8));
	return 0;
}
