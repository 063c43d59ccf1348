/* Names and paths at their largest. */
#include "fs.h"

int main(void)
{
	char name[300], *path = malloc(6000);
	struct stat st;
	int n = 0;

	fs_enter();
	memset(name, 'a', sizeof(name));
	name[255] = 0;
	printf("255: %i\n", open(name, O_CREAT | O_RDWR, 0600) > 0);
	name[255] = 'a';
	name[256] = 0;
	printf("256: %s\n", open(name, O_CREAT | O_RDWR, 0600) < 0 ? strerrorname_np(errno) : "?");
	printf("256: %s\n", stat(name, &st) < 0 ? strerrorname_np(errno) : "?");
	printf("256: %s\n", mkdir(name, 0700) < 0 ? strerrorname_np(errno) : "?");
	printf("256: %s\n", unlink(name) < 0 ? strerrorname_np(errno) : "?");
	/* many slashes: 4095 characters are a path, 4096 are not */
	memset(path, '/', 4095);
	memcpy(path + 4091, "/tmp", 4);
	path[4095] = 0;
	printf("4095: %i\n", stat(path, &st));
	memset(path, '/', 4096);
	memcpy(path + 4092, "/tmp", 4);
	path[4096] = 0;
	printf("4096: %s\n", stat(path, &st) < 0 ? strerrorname_np(errno) : "?");
	/* a tree deeper than PATH_MAX */
	memset(name, 'd', 200);
	name[200] = 0;
	for (n = 0; n < 30; n++) {
		if (mkdir(name, 0755) < 0 || chdir(name) < 0)
			break;
	}
	printf("depth %i\n", n);
	printf("getcwd: %s\n", syscall(SYS_getcwd, path, 6000) < 0 ? strerrorname_np(errno) : "?");
	T(open("here", O_CREAT | O_RDWR, 0600));
	T(unlink("here"));
	for (; n > 0; n--) {
		if (chdir("..") < 0 || rmdir(name) < 0)
			break;
	}
	printf("left %i\n", n);
	return 0;
}
