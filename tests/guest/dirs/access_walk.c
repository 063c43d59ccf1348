/* Search permission on the way, as an ordinary user. Needs to begin as root. */
#include "fs.h"
#include <grp.h>

int main(void)
{
	struct stat st;
	int fd;

	if (getuid())
		return 77;
	fs_enter();
	chmod(".", 0755);
	mkdir("open", 0777);
	chmod("open", 0777);
	mkdir("noexec", 0777);
	chmod("noexec", 0666);
	mkdir("noread", 0777);
	chmod("noread", 0711);
	mkdir("group", 0);
	chmod("group", 0070);
	chown("group", 0, 1234);
	mkdir("owner", 0);
	chown("owner", 1234, 0);
	chmod("owner", 0077);
	fs_make("noexec/f", "");
	fs_make("noread/f", "");
	fs_make("group/f", "");
	fd = open("noexec", O_RDONLY);
	setgroups(0, NULL);
	setresgid(1234, 1234, 1234);
	setresuid(1234, 1234, 0);
	T(stat("noexec/f", &st));
	T(stat("noexec/none", &st));
	T(stat("noexec", &st));
	T(open("noexec", O_RDONLY) > 0);
	T(chdir("noexec"));
	T(openat(fd, "f", O_RDONLY));
	T(openat(fd, ".", O_RDONLY));
	T(stat("noread/f", &st));
	T(open("noread", O_RDONLY));
	T(open("noread", O_PATH) > 0);
	T(chdir("noread"));
	T(chdir(".."));
	T(stat("group/f", &st));
	T(mkdir("group/d", 0755));
	T(stat("owner/f", &st));
	T(open("owner", O_RDONLY));
	T(mkdir("open/x", 0700));
	T(mkdir("noread/x", 0700));
	T(rename("open/x", "group/x"));
	T(rename("group/x", "noread/x"));
	T(rename("noread/none", "open/x"));
	T(unlink("noread/f"));
	T(unlink("noread/none"));
	T(rmdir("open"));
	T(symlink("noexec/f", "open/l"));
	T(stat("open/l", &st));
	T(lstat("open/l", &st));
	T(access("noread", R_OK));
	T(access("noread", X_OK));
	T(access("noread/f", W_OK));
	setresuid(0, 0, 0);
	return 0;
}
