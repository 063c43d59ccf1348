/* Names: in the file system, abstract, chosen by the kernel; their lengths. */
#include "../say.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
static char dir[] = "/tmp/unixXXXXXX";
static struct sockaddr_un un(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", dir, name);
	return a;
}
static void show(int fd, int peer)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	int r;

	memset(&a, '#', sizeof(a));
	r = peer ? getpeername(fd, (void *)&a, &len) : getsockname(fd, (void *)&a, &len);
	if (r < 0) {
		printf("%s\n", strerrorname_np(errno));
		return;
	}
	printf("len %u family %d", len, a.sun_family);
	if (len > 2)
		printf(" first %d %s", a.sun_path[0] != 0,
		       a.sun_path[0] == 0     ? "abstract"
		       : strrchr(a.sun_path, '/') ? strrchr(a.sun_path, '/')
					      : "relative");
	printf("\n");
}
int main(void)
{
	struct sockaddr_un a, b;
	int l, c, d;
	struct stat st;
	socklen_t len;
	char path[128];

	if (!mkdtemp(dir))
		return 1;
	umask(027);
	l = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	c = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	show(l, 0);
	show(l, 1);
	a = un("a");
	SAY(bind(l, (void *)&a, sizeof(a)));
	show(l, 0);
	MUST(stat(a.sun_path, &st));
	printf("%o\n", st.st_mode);
	SAY(bind(l, (void *)&a, sizeof(a)));
	SAY(bind(c, (void *)&a, sizeof(a)));
	b = un("b");
	SAY(bind(l, (void *)&b, sizeof(b)));
	SAY(connect(c, (void *)&a, sizeof(a)));
	SAY(connect(c, (void *)&b, sizeof(b)));
	SAY(listen(l, 5));
	SAY(connect(c, (void *)&a, sizeof(a)));
	SAY(connect(c, (void *)&a, sizeof(a)));
	show(c, 0);
	show(c, 1);
	d = MUST(accept(l, NULL, NULL));
	show(d, 0);
	show(d, 1);
	SAY_AS("open of a socket", open(a.sun_path, O_RDWR));
	SAY(connect(l, (void *)&a, sizeof(a)));
	unlink(a.sun_path);
	SAY(connect(c, (void *)&a, sizeof(a)));
	show(l, 0);
	close(l);
	l = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	a = un("nodir/x");
	SAY(bind(l, (void *)&a, sizeof(a)));
	SAY(bind(l, (void *)&a, 1));
	SAY(bind(l, (void *)&a, sizeof(a) + 1));
	a.sun_family = 77;
	SAY(bind(l, (void *)&a, sizeof(a)));
	memset(&a, 0, sizeof(a));
	a.sun_family = AF_UNIX;
	snprintf(a.sun_path + 1, 100, "sbx-names-%d", getpid());
	len = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a.sun_path + 1);
	SAY(bind(l, (void *)&a, len));
	d = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	SAY(bind(d, (void *)&a, len));
	SAY(bind(d, (void *)&a, len + 3));
	SAY(connect(d, (void *)&a, len));
	close(d);
	d = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	SAY(connect(d, (void *)&a, len));
	SAY(bind(d, (void *)&a, len));
	close(d);
	close(l);
	d = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	SAY(connect(d, (void *)&a, len));
	a.sun_family = AF_UNIX;
	SAY(bind(d, (void *)&a, 2));
	show(d, 0);
	SAY(bind(d, (void *)&a, 2));
	show(d, 0);
	len = 1;
	SAY(getsockname(d, (void *)&a, &len));
	printf("%u\n", len);
	len = (socklen_t)say_minus_;
	SAY(getsockname(d, (void *)&a, &len));
	SAY(getsockname(d, BAD, &(socklen_t){20}));
	SAY(getsockname(0, (void *)&a, &(socklen_t){20}));
	/* a name that fills sun_path without a NUL */
	if (chdir(dir) == 0) {
		memset(&a, 'x', sizeof(a));
		a.sun_family = AF_UNIX;
		l = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
		SAY(bind(l, (void *)&a, sizeof(a)));
		show(l, 0);
		snprintf(path, sizeof(path), "%.108s", a.sun_path);
		SAY_AS("unlink", unlink(path));
	}
	unlink(un("a").sun_path);
	unlink(un("b").sun_path);
	rmdir(dir);
	return 0;
}
