/* O_TMPFILE: a file without a name, which may get one. */
#include "fs.h"

int main(void)
{
	struct stat st;
	char buf[16] = "";
	int fd;

	fs_enter();
	fd = OK(open(".", O_TMPFILE | O_RDWR, 0640));
	fstat(fd, &st);
	printf("%o links %lu\n", st.st_mode, (unsigned long)st.st_nlink);
	T(write(fd, "hello", 5));
	T(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
	fs_show("named");
	fs_cat("named");
	T(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
	T(open(".", O_TMPFILE | O_RDONLY, 0600));
	T(open("none", O_TMPFILE | O_RDWR, 0600));
	T(open("named", O_TMPFILE | O_RDWR, 0600));
	T(open(".", O_TMPFILE | O_CREAT | O_RDWR, 0600));
	fd = OK(open(".", O_TMPFILE | O_EXCL | O_WRONLY, 0600));
	T(linkat(fd, "", AT_FDCWD, "other", AT_EMPTY_PATH));
	T(read(fd, buf, 1));
	T(write(fd, "x", 1));
	return 0;
}
