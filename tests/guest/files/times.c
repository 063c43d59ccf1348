/* utimensat(2) and the times that operations change. */
#include "fs.h"
#include <sys/time.h>
#include <utime.h>

static struct stat st;
static void show(const char *name)
{
	if (stat(name, &st) == 0)
		printf("%s: %ld.%09ld %ld.%09ld\n", name, st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec,
		       st.st_mtim.tv_nsec);
}
static void old(const char *name)
{
	struct timespec ts[2] = {{1000, 0}, {1000, 0}};

	utimensat(AT_FDCWD, name, ts, 0);
}
static void changed(const char *what, const char *name)
{
	stat(name, &st);
	printf("%s: mtime %s\n", what, st.st_mtim.tv_sec == 1000 ? "same" : "new");
	old(name);
}

int main(void)
{
	struct timespec ts[2] = {{100, 5}, {200, 6}};
	struct timeval tv[2] = {{7, 8}, {9, 10}};
	struct utimbuf ub = {11, 12};
	char buf[8];
	int fd;

	fs_enter();
	fs_make("f", "x");
	mkdir("d", 0755);
	T(utimensat(AT_FDCWD, "f", ts, 0));
	show("f");
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_sec = 300;
	T(utimensat(AT_FDCWD, "f", ts, 0));
	show("f");
	ts[1].tv_nsec = UTIME_OMIT;
	T(utimensat(AT_FDCWD, "none", ts, 0));
	ts[1].tv_nsec = 1000000000;
	T(utimensat(AT_FDCWD, "f", ts, 0));
	ts[1].tv_nsec = -1;
	T(utimensat(AT_FDCWD, "f", ts, 0));
	ts[0] = (struct timespec){-5, 0};
	ts[1] = (struct timespec){0, UTIME_NOW};
	T(utimensat(AT_FDCWD, "f", ts, 0));
	stat("f", &st);
	printf("%ld %i\n", st.st_atim.tv_sec, st.st_mtim.tv_sec > 1000000);
	T(utimes("f", tv));
	show("f");
	tv[0].tv_usec = 1000000;
	T(utimes("f", tv));
	T(utime("f", &ub));
	show("f");
	T(utimensat(AT_FDCWD, "f", (void *)8, 0));
	T(utimensat(AT_FDCWD, "f", NULL, 1));
	symlink("f", "l");
	ts[0] = (struct timespec){1, 0};
	ts[1] = (struct timespec){2, 0};
	T(utimensat(AT_FDCWD, "l", ts, AT_SYMLINK_NOFOLLOW));
	show("f");
	fd = open("f", O_RDWR);
	T(futimens(fd, ts));
	show("f");
	T(syscall(SYS_utimensat, fd, NULL, ts, AT_SYMLINK_NOFOLLOW));
	T(syscall(SYS_utimensat, AT_FDCWD, NULL, ts, 0));
	old("f");
	old("d");
	write(fd, "y", 1);
	changed("write", "f");
	write(fd, "y", 0);
	changed("write of nothing", "f");
	ftruncate(fd, 2);
	changed("ftruncate to the same", "f");
	lseek(fd, 0, SEEK_SET);
	read(fd, buf, 1);
	changed("read", "f");
	chmod("f", 0600);
	changed("chmod", "f");
	link("f", "d/f");
	changed("link", "f");
	changed("link, the directory", "d");
	rename("d/f", "d/g");
	changed("rename in it", "d");
	open("d/g", O_RDWR | O_TRUNC);
	changed("O_TRUNC", "f");
	open("d/h", O_CREAT | O_RDWR, 0600);
	changed("creation", "d");
	open("d/h", O_CREAT | O_RDWR, 0600);
	changed("open of what is there", "d");
	unlink("d/h");
	changed("unlink", "d");
	return 0;
}
