/* Eight processes make, move, link, list and remove the same few names; the tree is whole afterwards. */
#include "fs.h"
#include <dirent.h>

static unsigned seed;
static unsigned rnd(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static const char *pick(char *buf)
{
	static const char *const name[] = {"a", "b", "c", "l", ".."};
	int n = 1 + (int)rnd(4), len = 0;

	len = sprintf(buf, "%s/r", fs_dir);
	for (int i = 0; i < n; i++)
		len += sprintf(buf + len, "/%s", name[rnd(i ? 5 : 4)]);
	return buf;
}

static void child(unsigned n)
{
	char a[128], b[128], buf[4096];
	int fd;

	seed = n * 7919;
	for (int i = 0; i < 1500; i++) {
		pick(a);
		pick(b);
		switch (rnd(12)) {
		case 0: case 1: case 2:
			mkdir(a, 0755);
			break;
		case 3:
			rmdir(a);
			break;
		case 4: case 5:
			fd = open(a, O_CREAT | O_RDWR, 0644);
			if (fd >= 0) {
				write(fd, "xyz", 3);
				if (pread(fd, buf, 3, 0) != 3 && errno != EISDIR)
					printf("lost a write\n");
				close(fd);
			}
			break;
		case 6:
			unlink(a);
			break;
		case 7: case 8:
			rename(a, b);
			break;
		case 9:
			link(a, b);
			break;
		case 10:
			symlink("../c/a", a);
			break;
		case 11:
			fd = open(a, O_RDONLY | O_DIRECTORY);
			if (fd >= 0) {
				syscall(SYS_getdents64, fd, buf, sizeof(buf));
				close(fd);
			}
			break;
		}
	}
	_exit(0);
}

static int files, odd;
static int visit(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	files++;
	if (flag == FTW_NS || flag == FTW_DNR || (S_ISREG(st->st_mode) && st->st_size != 3 && st->st_size != 0))
		odd++;
	return 0;
}

int main(void)
{
	char path[128];
	int status, bad = 0;

	fs_enter();
	mkdir("r", 0755);
	for (unsigned i = 0; i < 8; i++)
		if (!fork())
			child(i + 1);
	while (wait(&status) > 0)
		bad += status != 0;
	printf("children that failed: %i\n", bad);
	snprintf(path, sizeof(path), "%s/r", fs_dir);
	nftw(path, visit, 32, FTW_PHYS);
	printf("some left: %i, odd: %i\n", files > 0, odd);
	nftw(path, fs_remove, 32, FTW_DEPTH | FTW_PHYS);
	printf("removed: %s\n", access(path, F_OK) < 0 ? strerrorname_np(errno) : "no");
	return 0;
}
