/* /proc/self: identity, cmdline, comm, environ, exe, cwd, root. */
#include "tests/guest/proc/util.h"
#include <sys/prctl.h>
#include <sys/stat.h>
int main(int argc, char **argv)
{
	char buf[65536], link[4096], want[4096];
	ssize_t n;

	(void)argc;
	n = readlink("/proc/self", link, sizeof(link) - 1);
	link[n] = 0;
	CHECK(atoi(link) == getpid());
	n = readlink("/proc/thread-self", link, sizeof(link) - 1);
	link[n] = 0;
	snprintf(want, sizeof(want), "%d/task/%d", getpid(), getpid());
	CHECK(!strcmp(link, want));
	n = slurp("/proc/self/cmdline", buf, sizeof(buf));
	CHECK(n == (ssize_t)strlen(argv[0]) + 1 && !strcmp(buf, argv[0]));
	prctl(PR_SET_NAME, "new name");
	slurp("/proc/self/comm", buf, sizeof(buf));
	printf("comm %s", buf);
	int fd = open("/proc/self/comm", O_WRONLY);
	SHOW(write(fd, "a name that is too long", 23));
	close(fd);
	slurp("/proc/self/comm", buf, sizeof(buf));
	printf("comm %s", buf);
	CHECK(slurp("/proc/self/environ", buf, sizeof(buf)) > 0);
	CHECK(strstr(buf, "PATH=") != NULL || memmem(buf, sizeof(buf), "PATH=", 5));
	chdir("/");
	n = readlink("/proc/self/cwd", link, sizeof(link) - 1);
	link[n] = 0;
	printf("cwd %s\n", link);
	n = readlink("/proc/self/root", link, sizeof(link) - 1);
	link[n] = 0;
	printf("root %s\n", link);
	n = readlink("/proc/self/exe", link, sizeof(link) - 1);
	link[n] = 0;
	CHECK(strstr(link, "self_basic") != NULL);
	fd = open("/proc/self/exe", O_RDONLY);
	CHECK(read(fd, buf, 4) == 4 && !memcmp(buf, "\177ELF", 4));
	SHOW(open("/proc/self/nothing", O_RDONLY));
	SHOW(open("/proc/999999999", O_RDONLY));
	SHOW(open("/proc/self/status", O_WRONLY | O_CREAT | O_EXCL, 0600));
	SHOW(open("/proc/self/new", O_WRONLY | O_CREAT, 0600));
	SHOW(mkdir("/proc/x", 0755));
	SHOW(unlink("/proc/self/status"));
	return 0;
}
