/* chmod, chown, times, truncate. */
#include "tmp.h"
#include <sys/time.h>
#include <utime.h>
static void times_of(const char *name)
{
	struct stat st;

	lstat(name, &st);
	printf("%s: atime %lld.%09ld mtime %lld.%09ld\n", name, (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
	       (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}
int main(void)
{
	struct timespec ts[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
	struct stat before, after;

	tmp_enter();
	put("f", "some text");
	SHOW(chmod("f", 0));
	show_stat("f");
	SHOW(chmod("f", 07777));
	show_stat("f");
	SHOW(chown("f", 10, 20));
	show_stat("f");
	SHOW(chown("f", -1, 30));
	SHOW(chmod("none", 0644));
	SHOW(utimensat(AT_FDCWD, "f", ts, 0));
	times_of("f");
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_sec = 5;
	ts[1].tv_nsec = 6;
	SHOW(utimensat(AT_FDCWD, "f", ts, 0));
	times_of("f");
	ts[1].tv_nsec = 1000000000;
	SHOW(utimensat(AT_FDCWD, "f", ts, 0));
	SHOW(truncate("f", 4));
	cat("f");
	stat("f", &after);
	CHECK(after.st_mtim.tv_sec > 1700000000);
	SHOW(truncate("f", 8));
	show_stat("f");
	SHOW(truncate("f", -1));
	SHOW(truncate(".", 0));
	symlink("f", "s");
	SHOW(lchown("s", 7, 8));
	show_stat("s");
	show_stat("f");
	ts[0] = ts[1] = (struct timespec){77, 88};
	SHOW(utimensat(AT_FDCWD, "s", ts, AT_SYMLINK_NOFOLLOW));
	times_of("s");
	/* a write moves mtime and ctime, a read of an old file atime */
	utimensat(AT_FDCWD, "f", (struct timespec[2]){{5, 0}, {6, 0}}, 0);
	stat("f", &before);
	int fd = open("f", O_RDWR);
	write(fd, "x", 1);
	fstat(fd, &after);
	CHECK(after.st_mtim.tv_sec > before.st_mtim.tv_sec);
	CHECK(after.st_ctim.tv_sec >= before.st_ctim.tv_sec);
	mkdir("d", 0755);
	SHOW(chmod("d", 01777));
	show_stat("d");
	SHOW(fchmodat(AT_FDCWD, "d", 0700, 0));
	utimensat(AT_FDCWD, "d", (struct timespec[2]){{5, 0}, {6, 0}}, 0);
	times_of("d");
	put("d/new", "");
	stat("d", &after);
	CHECK(after.st_mtim.tv_sec > 6);
	return 0;
}
