/* For tests of files: a fresh directory to work in, and calls that print themselves with their result. */
#ifndef TESTS_GUEST_FILES_FS_H
#define TESTS_GUEST_FILES_FS_H

#ifndef _GNU_SOURCE
#endif
#undef _FORTIFY_SOURCE /* wrong arguments are the point */
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#pragma GCC diagnostic ignored "-Wnonnull"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static char fs_dir[64];

static inline int fs_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	remove(path);
	return 0;
}

static pid_t fs_owner;

static inline void fs_leave(void)
{
	if (getpid() != fs_owner)
		return;
	chdir("/");
	nftw(fs_dir, fs_remove, 32, FTW_DEPTH | FTW_PHYS);
}

/* Makes a directory in /tmp the working directory, with umask 022; it goes at exit. */
static inline void fs_enter(void)
{
	strcpy(fs_dir, "/tmp/sbx-guest.XXXXXX");
	if (!mkdtemp(fs_dir) || chdir(fs_dir) < 0) {
		perror("fs_enter");
		exit(1);
	}
	fs_owner = getpid();
	umask(022);
	atexit(fs_leave);
	setvbuf(stdout, NULL, _IONBF, 0);
}

static inline long fs_say(const char *text, long ret)
{
	int e = errno;

	if (ret < 0)
		printf("%s = %s\n", text, strerrorname_np(e) ? strerrorname_np(e) : "?");
	else
		printf("%s = %ld\n", text, ret);
	return ret;
}
/* Does, prints, gives the result. */
#define T(e) fs_say(#e, (long)(e))
/* The same for a result that differs from run to run: only whether it failed. */
#define OK(e) ({ long ok_ = (long)(e); ok_ < 0 ? fs_say(#e, ok_) : (printf("%s ok\n", #e), ok_); })

static inline int fs_make(const char *name, const char *content)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	if (fd < 0 || write(fd, content, strlen(content)) < 0)
		return -1;
	return close(fd);
}

static inline void fs_show(const char *name)
{
	struct stat st;
	static const char type[16] = "?pc?d?b?-?l?s???";

	if (lstat(name, &st) < 0) {
		printf("%s: %s\n", name, strerrorname_np(errno));
		return;
	}
	printf("%s: %c%04o %u:%u", name, type[st.st_mode >> 12 & 15], st.st_mode & 07777, st.st_uid, st.st_gid);
	if (!S_ISDIR(st.st_mode))
		printf(" links %lu size %ld", (unsigned long)st.st_nlink, (long)st.st_size);
	printf("\n");
}

static inline void fs_cat(const char *name)
{
	char buf[256];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (n < 0) {
		printf("%s: %s\n", name, strerrorname_np(errno));
	} else {
		buf[n] = 0;
		printf("%s: \"%s\"\n", name, buf);
	}
	if (fd >= 0)
		close(fd);
}
#endif
