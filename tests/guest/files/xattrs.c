/* Extended attributes of the user namespace. */
#include "tmp.h"
#include <sys/xattr.h>
int main(void)
{
	char buf[256];

	tmp_enter();
	put("f", "x");
	if (setxattr("f", "user.probe", "1", 1, 0) < 0 && errno == EOPNOTSUPP)
		return 77;
	SHOW(removexattr("f", "user.probe"));
	SHOW(getxattr("f", "user.a", buf, sizeof(buf)));
	SHOW(setxattr("f", "user.a", "hello", 5, 0));
	SHOW(getxattr("f", "user.a", buf, sizeof(buf)));
	SHOW(getxattr("f", "user.a", NULL, 0));
	SHOW(getxattr("f", "user.a", buf, 2));
	SHOW(setxattr("f", "user.a", "bye", 3, XATTR_CREATE));
	SHOW(setxattr("f", "user.b", "bye", 3, XATTR_REPLACE));
	SHOW(setxattr("f", "user.a", "bye", 3, XATTR_REPLACE));
	SHOW(setxattr("f", "user.empty", "", 0, 0));
	SHOW(getxattr("f", "user.empty", buf, sizeof(buf)));
	SHOW(listxattr("f", NULL, 0));
	SHOW(listxattr("f", buf, 3));
	SHOW(listxattr("f", buf, sizeof(buf)));
	SHOW(removexattr("f", "user.a"));
	SHOW(removexattr("f", "user.a"));
	SHOW(setxattr("f", "nonsense", "1", 1, 0));
	SHOW(setxattr("f", "user.", "1", 1, 0));
	symlink("f", "s");
	SHOW(lsetxattr("s", "user.a", "1", 1, 0));
	SHOW(lgetxattr("s", "user.a", buf, sizeof(buf)));
	mkdir("d", 0755);
	SHOW(setxattr("d", "user.dir", "yes", 3, 0));
	SHOW(getxattr("d", "user.dir", buf, sizeof(buf)));
	int fd = open("f", O_RDONLY);
	SHOW(fsetxattr(fd, "user.fd", "1", 1, 0));
	SHOW(fgetxattr(fd, "user.fd", buf, sizeof(buf)));
	return 0;
}
