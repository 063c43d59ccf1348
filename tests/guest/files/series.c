/* Many files one after the other, as cp, tar and git make and remove them: each has its own mode, owner, size and
 * number, whoever looks and when. */
#include "fs.h"
#include <dirent.h>
#include <sys/xattr.h>
#include <time.h>

#define N 60

static const mode_t modes[] = {0644, 0600, 0751, 0444, 06755, 0666, 01644};

static int make(const char *dir, int i, size_t size)
{
	char name[64], data[128];
	int fd;

	snprintf(name, sizeof(name), "%s/f%d", dir, i);
	memset(data, 'a' + i % 26, sizeof(data));
	fd = open(name, O_CREAT | O_EXCL | O_RDWR, modes[i % 7]);
	if (fd < 0 || (size && write(fd, data, size) != (ssize_t)size))
		printf("%s: %d\n", name, errno);
	return fd;
}

static int wrong(const char *dir, int i, size_t size, mode_t mask, uid_t uid, gid_t gid)
{
	struct stat a, b;
	char name[64];
	int fd, bad = 0;

	snprintf(name, sizeof(name), "%s/f%d", dir, i);
	fd = open(name, O_RDONLY);
	if (fd < 0 || fstat(fd, &a) < 0 || stat(name, &b) < 0)
		return printf("%s: %d\n", name, errno);
	if (a.st_ino != b.st_ino || a.st_nlink != 1 || (size_t)a.st_size != size || a.st_uid != uid || a.st_gid != gid)
		bad = printf("%s: links %d size %d owner %d:%d\n", name, (int)a.st_nlink, (int)a.st_size, a.st_uid, a.st_gid);
	if ((a.st_mode & 07777) != (modes[i % 7] & ~mask))
		bad = printf("%s: mode %o\n", name, a.st_mode);
	close(fd);
	return bad;
}

/* A series in dir, looked at while it grows and at its end. */
static void series(const char *dir, mode_t mask, uid_t uid, gid_t gid)
{
	struct dirent *d;
	struct stat st;
	char name[300];
	int seen = 0, bad = 0, fd;
	DIR *s;

	for (int i = 0; i < N; i++) {
		fd = make(dir, i, (size_t)i);
		bad += fstat(fd, &st) < 0 || st.st_size != i || st.st_nlink != 1;
		close(fd);
		if (i % 5 == 0)
			bad += wrong(dir, i, (size_t)i, mask, uid, gid) > 0;
	}
	for (int i = 0; i < N; i++)
		bad += wrong(dir, i, (size_t)i, mask, uid, gid) > 0;
	s = opendir(dir);
	while (s && (d = readdir(s))) {
		if (d->d_name[0] == '.')
			continue;
		seen++;
		snprintf(name, sizeof(name), "%s/%s", dir, d->d_name);
		bad += stat(name, &st) < 0 || st.st_ino != d->d_ino || d->d_type != DT_REG;
	}
	closedir(s);
	printf("%s: %d files, %d wrong\n", dir, seen, bad);
}

static void clear(const char *dir)
{
	char name[64];
	int bad = 0;

	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "%s/f%d", dir, i);
		bad += unlink(name) < 0 || unlink(name) == 0 || errno != ENOENT || access(name, F_OK) == 0;
	}
	printf("clear %s: %d wrong, rmdir %d\n", dir, bad, rmdir(dir));
}

/* What comes later is later: times that were set do not survive a write, nor does an earlier one undo them. */
static void order(void)
{
	const struct timespec old[2] = {{1000, 5}, {2000, 6}};
	struct timespec start, end;
	struct stat st, st2;
	char name[16], to[16];
	int bad = 0, fd;

	mkdir("order", 0755);
	chdir("order");
	clock_gettime(CLOCK_REALTIME_COARSE, &start);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		snprintf(to, sizeof(to), "g%d", i % 7);
		fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
		fstat(fd, &st);
		bad += st.st_mtime < start.tv_sec || st.st_ctime < start.tv_sec;
		write(fd, "x", 1);
		futimens(fd, old);
		bad += fstat(fd, &st) < 0 || st.st_mtime != 2000 || st.st_mtim.tv_nsec != 6 || st.st_atime != 1000;
		write(fd, "y", 1);
		bad += fstat(fd, &st) < 0 || st.st_mtime < start.tv_sec || st.st_size != 2;
		fchmod(fd, 0640);
		bad += stat(name, &st) < 0 || (st.st_mode & 0777) != 0640;
		bad += rename(name, to) < 0 || stat(to, &st2) < 0 || st2.st_ino != st.st_ino || access(name, F_OK) == 0;
		bad += link(to, name) < 0 || fstat(fd, &st) < 0 || st.st_nlink != 2;
		bad += unlink(to) < 0 || fstat(fd, &st) < 0 || st.st_nlink != 1;
		bad += rename(name, to) < 0 || fstat(fd, &st) < 0 || st.st_nlink != 1;
		close(fd);
	}
	clock_gettime(CLOCK_REALTIME, &end);
	for (int i = 0; i < 7; i++) {
		snprintf(to, sizeof(to), "g%d", i);
		bad += stat(to, &st) < 0 || st.st_mtime > end.tv_sec + 1;
		bad += unlink(to) < 0;
	}
	chdir("..");
	printf("order: %d wrong, rmdir %d\n", bad, rmdir("order"));
}

/* Open without a name, and the name anew for another file. */
static void unnamed(void)
{
	int fds[20], bad = 0;
	struct stat st;
	char c;

	mkdir("un", 0755);
	for (int i = 0; i < 20; i++) {
		fds[i] = make("un", 0, 3);
		unlink("un/f0");
	}
	printf("rmdir %d\n", rmdir("un"));
	for (int i = 0; i < 20; i++) {
		bad += fstat(fds[i], &st) < 0 || st.st_nlink || st.st_size != 3;
		bad += pread(fds[i], &c, 1, 2) != 1 || c != 'a' || pwrite(fds[i], "b", 1, 5) != 1;
		bad += fchmod(fds[i], 0700 + (mode_t)i % 8) < 0 || fstat(fds[i], &st) < 0 ||
		       (st.st_mode & 0777) != (mode_t)(0700 + i % 8);
		close(fds[i]);
	}
	printf("unnamed: %d wrong\n", bad);
}

int main(void)
{
	fs_enter();
	T(mkdir("plain", 0755));
	series("plain", 022, 0, 0);
	clear("plain");
	umask(077);
	T(mkdir("masked", 0755));
	series("masked", 077, 0, 0);
	clear("masked");
	umask(022);
	T(mkdir("group", 0755));
	T(chown("group", 5, 6));
	T(chmod("group", 02777));
	T(chmod(fs_dir, 0755));
	series("group", 022, 0, 6);
	clear("group");
	T(mkdir("other", 0777));
	T(chmod("other", 0777));
	T(setegid(1001));
	T(seteuid(1000));
	series("other", 022, 1000, 1001); /* a write without privilege takes the set-id bits */
	T(seteuid(0));
	T(setegid(0));
	clear("other");
	order();
	unnamed();
	return 0;
}
