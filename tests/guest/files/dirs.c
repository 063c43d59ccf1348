/* Reading directories while they change; seeking in them. */
#include "tmp.h"
int main(void)
{
	char name[32];
	unsigned seen = 0;
	struct dirent *e;
	struct stat st;

	tmp_enter();
	SHOW(mkdir("d", 0755));
	SHOW(mkdir("d", 0755));
	SHOW(mkdir("x/y", 0755));
	SHOW(mkdir("d/", 0755));
	SHOW(mkdir("d2/", 0755));
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "d/file%d", i);
		close(open(name, O_CREAT | O_WRONLY, 0644));
	}
	DIR *d = opendir("d");
	while ((e = readdir(d)))
		seen++;
	printf("entries %u\n", seen);
	rewinddir(d);
	readdir(d);
	readdir(d);
	long pos = telldir(d);
	e = readdir(d);
	strcpy(name, e->d_name);
	for (int i = 0; i < 100; i++)
		readdir(d);
	seekdir(d, pos);
	e = readdir(d);
	CHECK(!strcmp(name, e->d_name));
	/* the rm -r pattern: everything is removed although entries go while it is read */
	rewinddir(d);
	seen = 0;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) < 0)
			printf("unlink: %s\n", strerrorname_np(errno));
		seen++;
	}
	printf("removed %u\n", seen);
	closedir(d);
	SHOW(rmdir("d"));
	SHOW(rmdir("d"));
	SHOW(rmdir("d2/."));
	SHOW(rmdir("d2/.."));
	put("d2/f", "");
	SHOW(rmdir("d2"));
	SHOW(rmdir("d2/f"));
	SHOW(unlink("d2"));
	stat("d2", &st);
	mkdir("d2/s1", 0755);
	mkdir("d2/s2", 0700);
	list("d2");
	int fd = open("d2", O_RDONLY);
	char buf[8];
	SHOW(read(fd, buf, 8));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(fsync(fd));
	return 0;
}
