/* open(2): creation, exclusion, types, flags that contradict each other. */
#include "fs.h"

int main(void)
{
	int fd;

	fs_enter();
	T(open("none", O_RDONLY));
	T(open("", O_RDONLY));
	T(open("a", O_CREAT | O_EXCL | O_RDWR, 0666));
	fs_show("a");
	T(open("a", O_CREAT | O_EXCL | O_RDWR, 0666));
	T(open("a", O_CREAT | O_RDONLY, 0));
	T(open("a/", O_RDONLY));
	T(open("a/b", O_RDONLY));
	T(open("b/", O_CREAT | O_RDWR, 0666));
	T(open("none/b", O_CREAT | O_RDWR, 0666));
	T(open(".", O_RDONLY));
	T(open(".", O_RDWR));
	T(open(".", O_WRONLY));
	T(open(".", O_CREAT | O_RDONLY, 0666));
	T(open("a", O_RDONLY | O_DIRECTORY));
	T(open("x", O_CREAT | O_DIRECTORY | O_RDONLY, 0666));
	fs_show("x");
	T(open("perm", O_CREAT | O_RDWR, 07777));
	fs_show("perm");
	fd = open("zero", O_CREAT | O_RDWR, 0);
	fs_show("zero");
	T(write(fd, "x", 1));
	T(open("a", O_RDWR | O_TRUNC));
	T(open("a", O_ACCMODE));
	fd = open("a", O_ACCMODE);
	T(read(fd, "", 0));
	T(write(fd, "", 0));
	symlink("a", "l");
	T(open("l", O_RDONLY | O_NOFOLLOW));
	T(open("l", O_CREAT | O_EXCL | O_RDWR, 0666));
	T(open("l/", O_RDONLY));
	T(open("l", O_PATH | O_NOFOLLOW));
	symlink("dangling", "d");
	T(open("d", O_RDONLY));
	T(open("d", O_CREAT | O_RDWR, 0600));
	fs_show("dangling");
	T(openat(-1, "a", O_RDONLY));
	T(openat(1000, "a", O_RDONLY));
	T(openat(3, "a", O_RDONLY));
	T(openat(-5, "/tmp", O_RDONLY));
	T(open((char *)8, O_RDONLY));
	T(creat("c", 0640));
	fs_show("c");
	return 0;
}
