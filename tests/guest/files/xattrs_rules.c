/* Extended attributes of the user namespace, and who may use the others. */
#include "fs.h"
#include <sys/xattr.h>

int main(void)
{
	char buf[256], *big = calloc(1, 70000);
	char name[300];
	int fd;

	fs_enter();
	fs_make("f", "x");
	if (setxattr("f", "user.probe", "", 0, 0) < 0)
		return 77; /* the file system here has none */
	T(removexattr("f", "user.probe"));
	T(setxattr("f", "user.a", "value", 5, 0));
	T(setxattr("f", "user.a", "other", 5, XATTR_CREATE));
	T(setxattr("f", "user.b", "x", 1, XATTR_REPLACE));
	T(setxattr("f", "user.a", "second", 6, XATTR_REPLACE));
	T(setxattr("f", "user.a", "x", 1, 99));
	T(getxattr("f", "user.a", buf, sizeof(buf)));
	printf("%.6s\n", buf);
	T(getxattr("f", "user.a", buf, 0));
	T(getxattr("f", "user.a", buf, 3));
	T(getxattr("f", "user.none", buf, 3));
	T(getxattr("none", "user.a", buf, 3));
	T(setxattr("f", "user.empty", NULL, 0, 0));
	T(getxattr("f", "user.empty", buf, sizeof(buf)));
	T(setxattr("f", "user.", "x", 1, 0));
	T(setxattr("f", "", "x", 1, 0));
	T(setxattr("f", "nonsense", "x", 1, 0));
	T(setxattr("f", "weird.x", "x", 1, 0));
	memset(name, 'n', sizeof(name));
	memcpy(name, "user.", 5);
	name[256] = 0;
	T(setxattr("f", name, "x", 1, 0));
	T(setxattr("f", "user.big", big, 65537, 0));
	fd = open("f", O_RDONLY);
	T(fsetxattr(fd, "user.fd", "1", 1, 0));
	T(fgetxattr(fd, "user.fd", buf, sizeof(buf)));
	T(fgetxattr(-1, "user.fd", buf, sizeof(buf)));
	T(fgetxattr(open("f", O_PATH), "user.fd", buf, sizeof(buf)));
	T(listxattr("f", buf, 2));
	T(listxattr("f", NULL, 0));
	T(removexattr("f", "user.fd"));
	T(removexattr("f", "user.fd"));
	T(removexattr("f", "user.empty"));
	T(listxattr("f", buf, sizeof(buf)));
	printf("%s\n", buf);
	symlink("f", "l");
	T(lsetxattr("l", "user.a", "x", 1, 0));
	T(lgetxattr("l", "user.a", buf, sizeof(buf)));
	T(getxattr("l", "user.a", buf, sizeof(buf)));
	mkfifo("p", 0600);
	T(setxattr("p", "user.a", "x", 1, 0));
	T(getxattr("p", "user.a", buf, sizeof(buf)));
	mkdir("d", 0755);
	T(setxattr("d", "user.a", "x", 1, 0));
	if (!getuid()) {
		T(setxattr("f", "trusted.t", "x", 1, 0));
		chmod("f", 0644);
		seteuid(1234);
		T(setxattr("f", "user.a", "x", 1, 0));
		T(getxattr("f", "user.a", buf, sizeof(buf)));
		T(setxattr("f", "trusted.t", "x", 1, 0));
		T(getxattr("f", "trusted.t", buf, sizeof(buf)));
		T(listxattr("f", buf, sizeof(buf)));
		seteuid(0);
		T(listxattr("f", buf, sizeof(buf)));
	}
	return 0;
}
