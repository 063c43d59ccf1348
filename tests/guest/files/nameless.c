/* What can be done to a file that has no name any more, by descriptors that were not there before. */
#include "fs.h"
#include <sys/xattr.h>

static int again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags);
}

static void attributes(int fd)
{
	char value[16] = "";

	T(fsetxattr(fd, "user.a", "one", 3, 0));
	T(fsetxattr(fd, "user.a", "two", 3, XATTR_CREATE));
	T(fgetxattr(fd, "user.a", value, sizeof(value)));
	printf("%s\n", value);
	T(fgetxattr(fd, "user.b", value, sizeof(value)));
	T(flistxattr(fd, NULL, 0) > 0);
	T(fremovexattr(fd, "user.a"));
	T(fremovexattr(fd, "user.a"));
}

static void show(int fd)
{
	struct stat st;

	fstat(fd, &st);
	printf("mode %o size %ld links %lu\n", st.st_mode, (long)st.st_size, (unsigned long)st.st_nlink);
}

int main(void)
{
	char buf[16] = "";
	int ro, rw, tmp;

	fs_enter();
	fs_make("f", "content");
	ro = open("f", O_RDONLY);
	chmod("f", 0600);
	if (setxattr("f", "user.probe", "1", 1, 0) < 0 && errno == EOPNOTSUPP)
		return 77;
	T(unlink("f"));
	attributes(ro);
	rw = OK(again(ro, O_RDWR));
	T(pwrite(rw, "C", 1, 0));
	T(pread(ro, buf, 7, 0));
	printf("%s\n", buf);
	T(pwrite(ro, "C", 1, 0));
	T(ftruncate(rw, 100));
	show(ro);
	OK(again(ro, O_WRONLY | O_TRUNC));
	show(rw);
	T(fsync(ro));
	T(fchmod(ro, 0));
	OK(again(ro, O_RDONLY));
	show(rw);
	tmp = open(".", O_TMPFILE | O_WRONLY, 0600);
	if (tmp >= 0) {
		T(write(tmp, "made", 4));
		ro = OK(again(tmp, O_RDONLY));
		T(pread(ro, buf, 4, 0));
		T(pwrite(ro, "x", 1, 0));
		attributes(ro);
		show(ro);
	}
	return 0;
}
