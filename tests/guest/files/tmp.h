/* A fresh folder to work in, removed at the end. */
#ifndef TESTS_GUEST_FILES_TMP_H
#define TESTS_GUEST_FILES_TMP_H
#include "../show.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
static char tmp_dir_[64];
static inline void tmp_leave(void)
{
	char cmd[96];

	if (chdir("/") == 0) {
		snprintf(cmd, sizeof(cmd), "rm -rf %s", tmp_dir_);
		if (system(cmd))
			printf("cannot remove the folder\n");
	}
}
static inline void tmp_enter(void)
{
	strcpy(tmp_dir_, "/tmp/guest-files-XXXXXX");
	umask(022);
	if (!mkdtemp(tmp_dir_) || chdir(tmp_dir_) < 0) {
		perror("mkdtemp");
		exit(1);
	}
	atexit(tmp_leave);
}
static inline void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (write(fd, text, strlen(text)) < 0)
		perror(name);
	close(fd);
}
static inline void cat(const char *name)
{
	char buf[256];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (n < 0) {
		printf("%s: %s\n", name, strerrorname_np(errno));
		return;
	}
	buf[n] = 0;
	printf("%s: \"%s\"\n", name, buf);
	close(fd);
}
static int by_name_(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}
/* Names in order, with types. */
static inline void list(const char *name)
{
	static char *names[4096];
	unsigned n = 0;
	DIR *d = opendir(name);
	struct dirent *e;

	if (!d) {
		printf("%s: %s\n", name, strerrorname_np(errno));
		return;
	}
	while ((e = readdir(d)) && n < 4096) {
		char line[300];

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(line, sizeof(line), "%s(%d)", e->d_name, e->d_type);
		names[n++] = strdup(line);
	}
	closedir(d);
	qsort(names, n, sizeof(*names), by_name_);
	printf("%s:", name);
	for (unsigned i = 0; i < n; i++) {
		printf(" %s", names[i]);
		free(names[i]);
	}
	printf("\n");
}
static inline void show_stat(const char *name)
{
	struct stat st;

	if (lstat(name, &st) < 0)
		printf("%s: %s\n", name, strerrorname_np(errno));
	else
		printf("%s: mode %o size %lld nlink %u uid %u gid %u\n", name, st.st_mode,
		       S_ISDIR(st.st_mode) ? 0ll : (long long)st.st_size,
		       S_ISDIR(st.st_mode) ? 0 : (unsigned)st.st_nlink, st.st_uid, st.st_gid);
}
#endif
