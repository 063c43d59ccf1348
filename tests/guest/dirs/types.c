/* readdir(3): names and types, sorted. */
#include "fs.h"
#include <dirent.h>

int main(void)
{
	struct dirent **list;
	int n;

	fs_enter();
	mkdir("dir", 0755);
	fs_make("file", "x");
	symlink("file", "link");
	mkfifo("fifo", 0600);
	mknod("sock", S_IFSOCK | 0600, 0);
	fs_make(".hidden", "");
	fs_make("a name with spaces\n", "");
	n = scandir(".", &list, NULL, alphasort);
	for (int i = 0; i < n; i++)
		printf("%s %i\n", list[i]->d_name, list[i]->d_type);
	DIR *d = opendir("dir");
	int count = 0;
	while (readdir(d))
		count++;
	printf("empty: %i\n", count);
	rewinddir(d);
	fs_make("dir/new", "");
	rewinddir(d);
	count = 0;
	while (readdir(d))
		count++;
	printf("one: %i\n", count);
	closedir(d);
	T(opendir("file") ? 0 : -1);
	T(opendir("none") ? 0 : -1);
	return 0;
}
