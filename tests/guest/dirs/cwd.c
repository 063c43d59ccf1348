/* chdir(2), fchdir(2), getcwd(2), and what a rename above does to them. */
#include "fs.h"

static void cwd(void)
{
	char buf[PATH_MAX];

	if (syscall(SYS_getcwd, buf, sizeof(buf)) < 0)
		printf("getcwd: %s\n", strerrorname_np(errno));
	else
		printf("cwd %s\n", strncmp(buf, fs_dir, strlen(fs_dir)) ? buf : buf + strlen(fs_dir));
}

int main(void)
{
	char buf[8];
	int fd;

	fs_enter();
	mkdir("a", 0755);
	mkdir("a/b", 0755);
	fs_make("f", "");
	T(chdir("a/b"));
	cwd();
	T(chdir("../../f"));
	T(chdir("none"));
	T(chdir(""));
	T(chdir("./././/.."));
	cwd();
	fd = open("b", O_RDONLY);
	T(chdir("/"));
	cwd();
	T(syscall(SYS_getcwd, buf, 1));
	T(syscall(SYS_getcwd, buf, 2));
	T(syscall(SYS_getcwd, buf, 0));
	T(syscall(SYS_getcwd, NULL, 100));
	T(chdir(".."));
	cwd();
	T(fchdir(fd));
	cwd();
	T(rename("../../a", "../../moved"));
	cwd();
	T(fchdir(open("../../f", O_RDONLY)));
	T(fchdir(-1));
	T(fchdir(open("..", O_PATH)));
	cwd();
	symlink("moved/b", "../link");
	T(chdir("../link"));
	cwd();
	return 0;
}
