/* setns by files of /proc/PID/ns: into a child's UTS and IPC namespace and back; what it refuses; ioctl_ns. */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static int err(int r)
{
	return r < 0 ? -errno : r;
}

int main(void)
{
	int own = open("/proc/self/ns/uts", O_RDONLY), own_ipc = open("/proc/self/ns/ipc", O_RDONLY);
	int null = open("/dev/null", O_RDONLY), user = open("/proc/self/ns/user", O_RDONLY);
	int ready[2], go[2], theirs;
	char name[65] = "", path[64], c;
	struct stat a, b;
	struct statfs fs;
	pid_t pid;

	(void)!pipe(ready);
	(void)!pipe(go);
	pid = fork();
	if (!pid) {
		(void)!unshare(CLONE_NEWUTS);
		(void)!sethostname("inner", 5);
		(void)!write(ready[1], "x", 1);
		(void)!read(go[0], &c, 1);
		_exit(0);
	}
	(void)!read(ready[0], &c, 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", pid);
	theirs = open(path, O_RDONLY);
	fstat(own, &a);
	fstat(theirs, &b);
	printf("other %d, statfs %d", a.st_ino != b.st_ino, fstatfs(own, &fs));
	printf(" %lx\n", (long)fs.f_type);
	printf("type %x parent %d\n", ioctl(own, NS_GET_NSTYPE), err(ioctl(own, NS_GET_PARENT)));
	unsigned uid = 7;
	printf("owner %d", err(ioctl(user, NS_GET_OWNER_UID, &uid)));
	printf(" %u, of another kind %d\n", uid, err(ioctl(own, NS_GET_OWNER_UID, &uid)));
	printf("wrong type %d, no namespace %d, closed %d, own user %d\n", err(setns(theirs, CLONE_NEWIPC)),
	       err(setns(null, 0)), err(setns(-1, 0)), err(setns(user, CLONE_NEWUSER)));
	printf("into %d", setns(theirs, CLONE_NEWUTS));
	(void)!write(go[1], "x", 1);
	waitpid(pid, NULL, 0);
	gethostname(name, sizeof(name));
	printf(" %s", name);
	fstat(open("/proc/self/ns/uts", O_RDONLY), &a);
	printf(" %d\n", a.st_ino == b.st_ino);
	printf("back %d", setns(own, 0));
	gethostname(name, sizeof(name));
	printf(" %d, ipc %d\n", !!strcmp(name, "inner"), setns(own_ipc, CLONE_NEWIPC));
	(void)!seteuid(65534);
	printf("without privilege %d\n", err(setns(theirs, CLONE_NEWUTS)));
	return 0;
}
