/* getdents64(2): all names once, in any order; small buffers; what comes and goes while reading. */
#include "fs.h"
#include <dirent.h>

struct dent {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static int seen[300];
static int64_t last_off;

static int take(int fd, size_t size)
{
	char buf[8192];
	long n = syscall(SYS_getdents64, fd, buf, size);
	int i;

	if (n < 0)
		printf("getdents64: %s\n", strerrorname_np(errno));
	for (long at = 0; at < n; at += ((struct dent *)(buf + at))->reclen) {
		struct dent *d = (struct dent *)(buf + at);

		if (sscanf(d->name, "n%i", &i) == 1)
			seen[i]++;
		last_off = d->off;
	}
	return (int)n;
}

int main(void)
{
	char name[32];
	int fd, once = 0, twice = 0, zero = 0;
	int64_t off;

	fs_enter();
	mkdir("d", 0755);
	chdir("d");
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "n%i", i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	fd = open(".", O_RDONLY | O_DIRECTORY);
	while (take(fd, 300) > 0)
		;
	for (int i = 0; i < 200; i++) {
		once += seen[i] == 1;
		twice += seen[i] > 1;
	}
	printf("once %i twice %i\n", once, twice);
	printf("again %i\n", take(fd, 300));
	lseek(fd, 0, SEEK_SET);
	T(take(fd, 10));
	/* back to a remembered place */
	memset(seen, 0, sizeof(seen));
	take(fd, 1000);
	off = last_off;
	memset(seen, 0, sizeof(seen));
	while (take(fd, 1000) > 0)
		;
	for (int i = 0; i < 200; i++)
		once += seen[i];
	T(lseek(fd, off, SEEK_SET) == off);
	while (take(fd, 1000) > 0)
		;
	for (int i = 0; i < 200; i++) {
		zero += seen[i] == 0;
		twice += seen[i] != 0 && seen[i] != 2;
	}
	printf("odd %i skipped some %i\n", twice, zero > 0);
	/* remove half while reading: what stays is seen exactly once */
	lseek(fd, 0, SEEK_SET);
	memset(seen, 0, sizeof(seen));
	for (int i = 0; take(fd, 500) > 0; i++) {
		for (int k = i * 20; k < i * 20 + 20 && k < 200; k += 2) {
			snprintf(name, sizeof(name), "n%i", k);
			unlink(name);
		}
	}
	once = 0;
	for (int i = 1; i < 200; i += 2)
		once += seen[i] == 1;
	printf("odd ones once %i\n", once);
	T(take(open("n1", O_RDONLY), 500));
	lseek(fd, 0, SEEK_SET);
	T(syscall(SYS_getdents64, fd, (void *)8, 500));
	T(syscall(SYS_getdents64, -1, name, 500));
	T(syscall(SYS_getdents64, open(".", O_PATH), name, 500));
	return 0;
}
