/* O_CREAT, O_EXCL, O_TRUNC, O_APPEND, umask. */
#include "tmp.h"
int main(void)
{
	tmp_enter();
	SHOW_OK(open("a", O_RDONLY));
	SHOW_OK(open("a", O_RDWR | O_CREAT | O_EXCL, 0666));
	SHOW_OK(open("a", O_RDWR | O_CREAT | O_EXCL, 0666));
	show_stat("a");
	umask(077);
	SHOW_OK(open("b", O_WRONLY | O_CREAT, 0777));
	show_stat("b");
	put("a", "0123456789");
	int fd = open("a", O_WRONLY | O_APPEND);
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(write(fd, "abc", 3));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pwrite(fd, "X", 1, 0)); /* appends, on Linux */
	cat("a");
	SHOW_OK(open("a", O_WRONLY | O_TRUNC));
	show_stat("a");
	SHOW_OK(open("nodir/x", O_CREAT | O_WRONLY, 0644));
	SHOW_OK(open("a/x", O_CREAT | O_WRONLY, 0644));
	SHOW_OK(open(".", O_WRONLY));
	SHOW_OK(open("new/", O_CREAT | O_WRONLY, 0644));
	SHOW_OK(open("", O_RDONLY));
	SHOW_OK(open("a", O_DIRECTORY));
	char name[300];
	memset(name, 'n', 256);
	name[256] = 0;
	printf("256: %s\n", open(name, O_CREAT | O_WRONLY, 0644) < 0 ? strerrorname_np(errno) : "ok");
	name[255] = 0;
	printf("255: %s\n", open(name, O_CREAT | O_WRONLY, 0644) < 0 ? strerrorname_np(errno) : "ok");
	return 0;
}
