/* Identity and files: owner, group, others, the override of root, after set*id. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void try(const char *who, uid_t uid, gid_t gid, gid_t extra, const char *path)
{
	fflush(stdout);
	if (!fork()) {
		setgroups(extra ? 1 : 0, &extra);
		setgid(gid);
		setuid(uid);
		printf("%s: read %s", who, open(path, O_RDONLY) < 0 ? strerror(errno) : "ok");
		printf(", write %s", open(path, O_WRONLY) < 0 ? strerror(errno) : "ok");
		printf(", chmod %s", chmod(path, 0640) < 0 ? strerror(errno) : "ok");
		printf(", access %s\n", access(path, W_OK) < 0 ? strerror(errno) : "ok");
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

int main(void)
{
	char path[] = "/tmp/accXXXXXX";

	if (getuid())
		return 77;
	close(mkstemp(path));
	chown(path, 100, 200);
	chmod(path, 0640);
	try("root", 0, 0, 0, path);
	try("owner", 100, 1, 0, path);
	try("group", 101, 200, 0, path);
	try("extra group", 101, 1, 200, path);
	try("other", 102, 2, 0, path);
	chmod(path, 0);
	try("root on 000", 0, 0, 0, path);
	unlink(path);
	return 0;
}
