/* /proc/self/fd and fdinfo: what they list, where the links lead, that they can be opened. */
#include "tests/guest/proc/util.h"
#include <dirent.h>
#include <sys/socket.h>
#include <sys/stat.h>
static void show_link(int fd, const char *what)
{
	char path[64], link[512];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0) {
		printf("%s: %s\n", what, strerrorname_np(errno));
		return;
	}
	link[n] = 0;
	for (char *p = link; *p; p++)
		if (*p >= '0' && *p <= '9' && strchr(link, '['))
			*p = '#';
	printf("%s: %.*s\n", what, (int)strcspn(link, "#") + 1, link);
}
int main(void)
{
	char buf[4096], path[64], tmp[] = "/tmp/procfdXXXXXX";
	struct stat st, st2;
	int p[2], sv[2], fd, fd2, count = 0;
	struct dirent *d;
	DIR *dir;

	for (int i = 3; i < 256; i++)
		close(i);
	pipe(p);
	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	show_link(p[0], "pipe");
	show_link(sv[0], "socket");
	show_link(fd, "null");
	show_link(77, "closed");
	dir = opendir("/proc/self/fd");
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.' && atoi(d->d_name) >= 3)
			count++;
	closedir(dir);
	printf("%d descriptors\n", count);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	slurp(path, buf, sizeof(buf));
	printf("pos%s flags%s\n", line(buf, "pos:"), line(buf, "flags:"));
	fd2 = mkstemp(tmp);
	write(fd2, "hello world", 11);
	lseek(fd2, 6, SEEK_SET);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd2);
	slurp(path, buf, sizeof(buf));
	printf("pos%s\n", line(buf, "pos:"));
	/* a link of an unlinked file still opens it */
	unlink(tmp);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd2);
	fd = open(path, O_RDONLY);
	memset(buf, 0, 32);
	SHOW(read(fd, buf, 32));
	puts(buf);
	SHOW(stat(path, &st));
	fstat(fd2, &st2);
	CHECK(st.st_ino == st2.st_ino);
	SHOW(lstat(path, &st));
	printf("%o %d\n", st.st_mode & S_IFMT, (int)(st.st_mode & 0700));
	/* a pipe opens anew */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
	fd = open(path, O_WRONLY);
	SHOW(write(fd, "x", 1));
	SHOW(read(p[0], buf, 10));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", sv[0]);
	SHOW(open(path, O_RDWR));
	SHOW(open("/proc/self/fd/77", O_RDWR));
	SHOW(open("/proc/self/fd/01", O_RDWR));
	/* only the link has a size, st_size of fdinfo is 0: programs copy by it */
	SHOW(lstat(path, &st));
	SHOW(st.st_size);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", sv[0]);
	SHOW(stat(path, &st));
	SHOW(st.st_size);
	return 0;
}
