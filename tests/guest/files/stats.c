/* stat(2), fstatat(2), statx(2): flags, types, errors. */
#include "fs.h"

int main(void)
{
	struct stat st;
	struct statx sx;
	int fd, pfd;

	fs_enter();
	fs_make("f", "12345");
	mkdir("d", 0750);
	symlink("f", "l");
	mkfifo("p", 0640);
	fs_show("f");
	fs_show("d");
	fs_show("l");
	fs_show("p");
	T(stat("none", &st));
	T(stat("", &st));
	T(stat("f/x", &st));
	T(stat("d/x", &st));
	T(stat("d/../f", &st));
	T(stat("f", (void *)8));
	T(stat((void *)8, &st));
	T(fstat(-1, &st));
	T(lstat("l/", &st));
	T(stat("l/", &st));
	fd = open("d", O_RDONLY);
	pfd = open("l", O_PATH | O_NOFOLLOW);
	T(fstatat(fd, "../f", &st, 0));
	T(fstatat(fd, "", &st, 0));
	T(fstatat(fd, "", &st, AT_EMPTY_PATH));
	printf("dir %i\n", S_ISDIR(st.st_mode));
	T(fstatat(pfd, "", &st, AT_EMPTY_PATH));
	printf("link %i\n", S_ISLNK(st.st_mode));
	T(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
	printf("dir %i\n", S_ISDIR(st.st_mode));
	T(fstatat(AT_FDCWD, "l", &st, AT_SYMLINK_NOFOLLOW));
	printf("link %i\n", S_ISLNK(st.st_mode));
	T(syscall(SYS_newfstatat, AT_FDCWD, "f", &st, 0x8000));
	T(fstatat(pfd, "x", &st, 0));
	T(fstatat(-7, "f", &st, 0));
	T(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &sx));
	printf("%u %o %llu %u\n", (sx.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS, sx.stx_mode,
	       (unsigned long long)sx.stx_size, sx.stx_nlink);
	T(statx(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx));
	printf("%o %llu\n", sx.stx_mode, (unsigned long long)sx.stx_size);
	T(statx(AT_FDCWD, "f", AT_STATX_SYNC_TYPE, STATX_TYPE, &sx));
	T(statx(AT_FDCWD, "f", 0, STATX__RESERVED, &sx));
	T(statx(AT_FDCWD, "f", 0x80000, STATX_TYPE, &sx));
	T(statx(fd, "", AT_EMPTY_PATH, STATX_ALL, &sx));
	T(statx(AT_FDCWD, "none", 0, STATX_ALL, &sx));
	T(access("f", R_OK | W_OK));
	T(access("f", X_OK));
	T(access("none", F_OK));
	T(access("f", 8));
	T(access("", F_OK));
	T(faccessat(AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW));
	T(syscall(SYS_faccessat2, AT_FDCWD, "f", F_OK, 1));
	T(syscall(SYS_faccessat2, pfd, "", F_OK, AT_EMPTY_PATH));
	return 0;
}
