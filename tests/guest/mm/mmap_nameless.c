/* Mappings of files that have lost their name, or never had one, and that others may not read: private and shared,
 * by who made them and by another user, who has nothing but the descriptor. */
#include "../files/fs.h"
#include <sys/mman.h>

#define SIZE 8192

static void map(const char *what, int fd, int prot, int flags)
{
	char *p = mmap(NULL, SIZE, prot, flags, fd, 0), got[4] = "";

	if (p == MAP_FAILED) {
		printf("  %s: %s\n", what, strerrorname_np(errno));
		return;
	}
	memcpy(got, p + 4096, 3);
	printf("  %s: \"%s\"", what, got);
	if (prot & PROT_WRITE) {
		memcpy(p + 4096, "new", 3);
		pread(fd, got, 3, 4096);
		printf(" then \"%s\"", got);
		pwrite(fd, "old", 3, 4096);
	} else {
		printf(" writable %d", mprotect(p, SIZE, PROT_READ | PROT_WRITE) == 0);
	}
	printf("\n");
	munmap(p, SIZE);
}

static void map_all(int fd)
{
	map("private read", fd, PROT_READ, MAP_PRIVATE);
	map("private write", fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	map("shared read", fd, PROT_READ, MAP_SHARED);
	map("shared write", fd, PROT_READ | PROT_WRITE, MAP_SHARED);
}

/* The same in a process of another user, who may also not open it again. */
static void by_another(int fd)
{
	pid_t pid = fork();
	char path[64];

	if (pid == 0) {
		T(setresgid(1000, 1000, 1000));
		T(setresuid(1000, 1000, 1000));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		printf("open again: %s\n", open(path, O_RDONLY) < 0 ? strerrorname_np(errno) : "ok");
		map_all(fd);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void fill(int fd, mode_t mode)
{
	T(ftruncate(fd, SIZE));
	T(pwrite(fd, "old", 3, 4096));
	T(fchmod(fd, mode));
}

static void nameless(const char *how, int fd, int ro)
{
	printf("%s\n", how);
	map_all(fd);
	by_another(fd);
	if (ro >= 0) {
		printf("%s, for reading\n", how);
		map_all(ro);
		by_another(ro);
		close(ro);
	}
	close(fd);
}

static int again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags);
}

static void with_mode(mode_t mode)
{
	char name[32] = "f.XXXXXX";
	int fd;

	printf("---- mode %o\n", mode);
	fd = mkstemp(name);
	fill(fd, mode);
	unlink(name);
	nameless("unlinked", fd, -1);

	fd = open("r", O_RDWR | O_CREAT | O_EXCL, 0600);
	fill(fd, mode);
	int ro = open("r", O_RDONLY);
	unlink("r");
	nameless("unlinked while open twice", fd, ro);

	fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0600);
	fill(fd, mode);
	fs_make("b", "other");
	rename("b", "a");
	nameless("replaced", fd, -1);
	unlink("a");

	fd = open("s", O_RDWR | O_CREAT | O_EXCL, 0600);
	fill(fd, mode);
	unlink("s");
	ro = again(fd, O_RDONLY);
	nameless("opened again after that", fd, ro);

	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd >= 0) {
		fill(fd, mode);
		nameless("O_TMPFILE", fd, again(fd, O_RDONLY));
	}

	/* only read before its name goes */
	fd = open("w", O_RDWR | O_CREAT | O_EXCL, 0600);
	fill(fd, mode);
	close(fd);
	ro = open("w", O_RDONLY);
	unlink("w");
	fd = again(ro, O_RDWR);
	nameless("opened again for writing", fd, ro);
}

/* A series, for which a kernel may have made files ahead. */
static void series(void)
{
	unsigned bad = 0;

	for (int i = 0; i < 64; i++) {
		char name[16], *p;
		int fd;

		snprintf(name, sizeof(name), "n%d", i);
		fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		write(fd, name, sizeof(name));
		unlink(name);
		p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
		bad += p == MAP_FAILED || strcmp(p, name);
		if (p != MAP_FAILED)
			munmap(p, 4096);
		close(fd);
	}
	printf("series: %u went wrong\n", bad);
}

int main(void)
{
	fs_enter();
	chmod(".", 0755);
	with_mode(0600);
	with_mode(0400);
	with_mode(0);
	series();
	return 0;
}
