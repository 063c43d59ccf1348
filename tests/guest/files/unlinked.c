/* Files that live on without a name. */
#include "tmp.h"
int main(void)
{
	char buf[32] = "";
	struct stat st;

	tmp_enter();
	put("f", "content");
	int fd = open("f", O_RDWR), fd2 = open("f", O_RDONLY);
	SHOW(unlink("f"));
	SHOW(unlink("f"));
	SHOW(read(fd2, buf, sizeof(buf)));
	printf("%s\n", buf);
	SHOW(pwrite(fd, "C", 1, 0));
	SHOW(pread(fd2, buf, 7, 0));
	printf("%s\n", buf);
	fstat(fd, &st);
	printf("nlink %u size %lld\n", (unsigned)st.st_nlink, (long long)st.st_size);
	SHOW(ftruncate(fd, 100));
	SHOW(fchmod(fd, 0600));
	SHOW(fchown(fd, 1, 2));
	fstat(fd2, &st);
	printf("mode %o size %lld uid %u\n", st.st_mode, (long long)st.st_size, st.st_uid);
	put("f", "another");
	SHOW(pread(fd2, buf, 7, 0));
	printf("%s\n", buf);
	mkdir("d", 0755);
	int d = open("d", O_RDONLY | O_DIRECTORY);
	SHOW(rmdir("d"));
	SHOW_OK(openat(d, "x", O_CREAT | O_WRONLY, 0644));
	SHOW(mkdirat(d, "x", 0755));
	fstat(d, &st);
	printf("nlink %u\n", (unsigned)st.st_nlink);
	list("d");
	chdir("/tmp");
	SHOW(close(fd));
	SHOW(close(fd2));
	return 0;
}
