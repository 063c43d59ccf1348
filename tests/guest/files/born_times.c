/* What stat(2) said of files that were made one after the other stays so: until they are written to, no look and no chmod(2) moves
 * their times of access and modification. */
#include "fs.h"

#define FILES 60

static int moved(const struct stat *a, const struct stat *b)
{
	return memcmp(&a->st_atim, &b->st_atim, sizeof(a->st_atim)) || memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim));
}

int main(void)
{
	int again = 0, mode = 0, later = 0, omit = 0;
	struct stat first[FILES], now;
	char name[16];

	fs_enter();
	for (int i = 0; i < FILES; i++) {
		struct timespec ts[2] = {{.tv_nsec = UTIME_OMIT}, {500, 9}};
		int fd;

		snprintf(name, sizeof(name), "f%d", i);
		fd = open(name, O_CREAT | O_RDWR | O_EXCL, 0600);
		if (i % 3 == 2 && write(fd, "x", 1) != 1)
			perror("write");
		close(fd);
		stat(name, &first[i]);
		stat(name, &now);
		again += moved(&first[i], &now);
		if (i % 2) {
			chmod(name, 0644);
			stat(name, &now);
			mode += moved(&first[i], &now);
		}
		if (i % 5 == 4) {
			utimensat(AT_FDCWD, name, ts, 0);
			stat(name, &now);
			omit += memcmp(&first[i].st_atim, &now.st_atim, sizeof(now.st_atim)) || now.st_mtim.tv_sec != 500;
			first[i] = now;
		}
	}
	usleep(20000);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		stat(name, &now);
		later += moved(&first[i], &now);
	}
	printf("moved: looked at again %d, by chmod %d, by the other time %d, later %d\n", again, mode, omit, later);
	return 0;
}
