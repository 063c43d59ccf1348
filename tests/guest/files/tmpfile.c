/* O_TMPFILE, and giving such a file a name. */
#include "tmp.h"
int main(void)
{
	char path[64];
	struct stat st;

	tmp_enter();
	int fd = SHOW_OK(open(".", O_TMPFILE | O_RDWR, 0640));
	if (fd < 0)
		return 77;
	SHOW(write(fd, "secret", 6));
	fstat(fd, &st);
	printf("nlink %u mode %o size %lld\n", (unsigned)st.st_nlink, st.st_mode, (long long)st.st_size);
	list(".");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	cat("named");
	show_stat("named");
	fstat(fd, &st);
	printf("nlink %u\n", (unsigned)st.st_nlink);
	int ex = SHOW_OK(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ex);
	SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "no", AT_SYMLINK_FOLLOW));
	SHOW_OK(open(".", O_TMPFILE | O_RDONLY, 0600));
	SHOW_OK(open("named", O_TMPFILE | O_RDWR, 0600));
	SHOW_OK(open("none", O_TMPFILE | O_RDWR, 0600));
	return 0;
}
