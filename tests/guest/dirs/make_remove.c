/* mkdir(2), rmdir(2): errors, trailing slashes, dots, a directory that is gone under somebody. */
#include "fs.h"

int main(void)
{
	struct stat st;
	char buf[256];
	int fd;

	fs_enter();
	T(mkdir("d", 0777));
	T(mkdir("d", 0777));
	T(mkdir("d/", 0777));
	T(mkdir("e/", 0777));
	T(mkdir("e//", 0777));
	T(mkdir(".", 0777));
	T(mkdir("..", 0777));
	T(mkdir("/", 0777));
	T(mkdir("", 0777));
	T(mkdir("none/x", 0777));
	fs_make("f", "");
	T(mkdir("f", 0777));
	T(mkdir("f/x", 0777));
	T(mkdir("d/x/.", 0777));
	T(mkdir("d/s", 0700));
	T(rmdir("d"));
	T(rmdir("d/."));
	T(rmdir("d/.."));
	T(rmdir("d/s/.."));
	T(rmdir("/"));
	T(rmdir("f"));
	T(rmdir("f/"));
	T(rmdir("none"));
	T(rmdir(""));
	T(rmdir("e///"));
	stat("d", &st);
	T(chdir("d/s"));
	fd = open(".", O_RDONLY);
	T(rmdir("../s"));
	printf("%s\n", syscall(SYS_getcwd, buf, sizeof(buf)) < 0 ? strerrorname_np(errno) : "?");
	T(open("x", O_CREAT | O_RDWR, 0600));
	T(mkdir("x", 0700));
	T(symlink("x", "y"));
	T(open(".", O_RDONLY));
	T(stat("..", &st));
	T(stat("x", &st));
	T(syscall(SYS_getdents64, fd, buf, sizeof(buf)));
	T(fstat(fd, &st));
	printf("links %lu\n", (unsigned long)st.st_nlink);
	T(chdir(".."));
	T(fchdir(fd));
	T(chdir("/"));
	T(mkdirat(fd, "z", 0700));
	T(openat(fd, "z", O_RDONLY | O_CREAT, 0700));
	return 0;
}
