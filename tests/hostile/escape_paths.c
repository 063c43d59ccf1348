/* Tries to leave the root by names: .., symbolic links, magic links, renames of a directory that is being
 * walked. What lies outside is recognised by the host's marker file, whose path is argv[1] and which must
 * never be opened. */
#include "hostile.h"
#include <sys/stat.h>

static int sees(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return 0;
	close(fd);
	printf("%s was opened\n", path);
	return 1;
}

int main(int argc, char **argv)
{
	const char *marker = argc > 1 ? argv[1] : "/sbx-hostile-marker";
	char path[4096];
	int bad = 0, status;
	pid_t p;
	time_t end;

	snprintf(path, sizeof(path), "/../../../../../../..%s", marker);
	bad += sees(path);
	snprintf(path, sizeof(path), "/proc/1/root/../..%s", marker);
	bad += sees(path);
	snprintf(path, sizeof(path), "/proc/self/cwd/../../../../..%s", marker);
	bad += sees(path);
	mkdir("/tmp/esc", 0700);
	mkdir("/tmp/esc/a", 0700);
	mkdir("/tmp/esc/b", 0700);
	snprintf(path, sizeof(path), "../../../../../..%s", marker);
	if (symlink(path, "/tmp/esc/link") == 0)
		bad += sees("/tmp/esc/link");
	/* A directory moves up while another process walks through it with .. */
	p = fork();
	if (!p) {
		for (end = time(NULL) + 2; time(NULL) < end;) {
			mkdir("/tmp/esc/a/deep", 0700);
			rename("/tmp/esc/a/deep", "/tmp/esc/b/deep");
			rename("/tmp/esc/b/deep", "/tmp/deep");
			rmdir("/tmp/deep");
		}
		_exit(0);
	}
	for (end = time(NULL) + 2; time(NULL) < end;) {
		snprintf(path, sizeof(path), "/tmp/esc/a/deep/../../../../../../..%s", marker);
		bad += sees(path);
		snprintf(path, sizeof(path), "/tmp/esc/b/deep/../../../../../../..%s", marker);
		bad += sees(path);
	}
	waitpid(p, &status, 0);
	rmdir("/tmp/esc/a/deep");
	rmdir("/tmp/esc/b/deep");
	rmdir("/tmp/esc/a");
	rmdir("/tmp/esc/b");
	unlink("/tmp/esc/link");
	rmdir("/tmp/esc");
	if (chroot("/tmp") == 0) {
		for (int i = 0; i < 64; i++)
			if (chdir(".."))
				break;
		snprintf(path, sizeof(path), "../../../..%s", marker);
		bad += sees(path);
	}
	return bad != 0;
}
