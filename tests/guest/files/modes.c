/* chmod(2), umask(2), setgid directories, the bits that a write or a change of owner takes. */
#include "fs.h"

int main(void)
{
	int fd;

	fs_enter();
	umask(027);
	close(open("a", O_CREAT | O_WRONLY, 0777));
	mkdir("d", 0777);
	mkfifo("p", 0666);
	mknod("n", S_IFREG | 0666, 0);
	fs_show("a");
	fs_show("d");
	fs_show("p");
	fs_show("n");
	printf("umask %o\n", umask(0));
	printf("umask %o\n", umask(07777));
	printf("umask %o\n", umask(022));
	T(chmod("a", 0123));
	fs_show("a");
	T(chmod("a", 07777));
	fs_show("a");
	T(chmod("none", 0));
	T(chmod("a/x", 0));
	T(chmod("", 0));
	fd = open("a", O_RDONLY);
	T(fchmod(fd, 0600));
	fs_show("a");
	T(fchmod(-1, 0));
	T(fchmod(open("a", O_PATH), 0));
	T(syscall(SYS_fchmodat, AT_FDCWD, "a", 0644, 0));
	symlink("a", "l");
	T(chmod("l", 0604));
	fs_show("a");
	mkdir("g", 0755);
	T(chmod("g", 02755));
	mkdir("g/sub", 0755);
	close(open("g/file", O_CREAT | O_WRONLY, 0755));
	fs_show("g/sub");
	fs_show("g/file");
	mkdir("s", 07777);
	fs_show("s");
	T(mkdir("t", 01777));
	fs_show("t");
	return 0;
}
