/* openat2(2): walks that may not leave, may not follow, may not cross. */
#include "fs.h"
#include <linux/openat2.h>

static int base;
static long o2(const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
	long fd = syscall(SYS_openat2, base, path, &how, sizeof(how));

	if (fd > 2) {
		close((int)fd);
		return 0;
	}
	return fd;
}

int main(void)
{
	struct { struct open_how how; uint64_t more[2]; } big = {.how = {.flags = O_RDONLY}};
	char abs[128];

	fs_enter();
	mkdir("j", 0755);
	mkdir("j/d", 0755);
	fs_make("j/f", "in");
	fs_make("out", "out");
	symlink("../out", "j/esc");
	symlink("f", "j/rel");
	symlink("d/../f", "j/rel2");
	symlink("/f", "j/abs");
	snprintf(abs, sizeof(abs), "%s/out", fs_dir);
	base = open("j", O_PATH | O_DIRECTORY);
	T(o2("f", O_RDONLY, 0, 0));
	T(o2("../out", O_RDONLY, 0, 0));
	T(o2("../out", O_RDONLY, 0, RESOLVE_BENEATH));
	T(o2("..", O_RDONLY, 0, RESOLVE_BENEATH));
	T(o2("d/..", O_RDONLY, 0, RESOLVE_BENEATH));
	T(o2("d/../f", O_RDONLY, 0, RESOLVE_BENEATH));
	T(o2("esc", O_RDONLY, 0, RESOLVE_BENEATH));
	T(o2("rel", O_RDONLY, 0, RESOLVE_BENEATH));
	T(o2("rel2", O_RDONLY, 0, RESOLVE_BENEATH));
	T(o2("abs", O_RDONLY, 0, RESOLVE_BENEATH));
	T(o2("/f", O_RDONLY, 0, RESOLVE_BENEATH));
	T(o2("abs", O_RDONLY, 0, RESOLVE_IN_ROOT));
	T(o2("/f", O_RDONLY, 0, RESOLVE_IN_ROOT));
	T(o2("../../../f", O_RDONLY, 0, RESOLVE_IN_ROOT));
	T(o2("esc", O_RDONLY, 0, RESOLVE_IN_ROOT));
	T(o2("abs", O_RDONLY, 0, 0));
	T(o2("rel", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
	T(o2("rel", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS));
	T(o2("rel", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
	T(o2("f", O_RDONLY, 0, RESOLVE_NO_XDEV));
	T(o2("f", O_RDONLY, 0, 0x4000));
	T(o2("f", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
	T(o2("f", O_RDONLY, 0644, 0));
	T(o2("n", O_CREAT | O_RDWR, 0644, RESOLVE_BENEATH));
	T(o2("n2", O_CREAT | O_RDWR, 010644, 0));
	T(o2("f", 1ull << 40, 0, 0));
	T(o2("f", O_PATH | O_RDWR, 0, 0));
	T(o2("f", O_RDONLY, 0, RESOLVE_CACHED));
	T(syscall(SYS_openat2, base, "f", &big, sizeof(big.how) - 8));
	T(syscall(SYS_openat2, base, "f", &big, 5000));
	big.more[1] = 1;
	T(syscall(SYS_openat2, base, "f", &big, sizeof(big)));
	T(syscall(SYS_openat2, base, "f", NULL, sizeof(big.how)));
	return 0;
}
