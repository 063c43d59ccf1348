#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/install/install.h"

#define FILE_MAX (1u << 20)

int install_check_name(const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (n == 0 || n > 64 ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != n)
		return err_set(e, EINVAL, "--runtime: letters, digits, - and _, not \"%.80s\"", name);
	return 0;
}

int text_read(const char *file, char **ret_text, size_t *ret_size, struct err *e)
{
	CLEANUP_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC);
	CLEANUP_FREE char *text = NULL;
	struct stat st;
	size_t size = 0;
	ssize_t n = 1;

	*ret_text = NULL;
	*ret_size = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "%s", file);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return err_set(e, EINVAL, "%s: not a file of at most 1 MiB", file);
	text = malloc(FILE_MAX + 1);
	if (!text)
		return err_sys(e, ENOMEM, "%s", file);
	while (n > 0 && size < FILE_MAX) {
		n = read(fd, text + size, FILE_MAX - size);
		if (n < 0)
			return err_sys(e, errno, "%s", file);
		size += (size_t)n;
	}
	text[size] = 0;
	*ret_text = STEAL_PTR(text);
	*ret_size = size;
	return 0;
}

static int make_folders(const char *file, struct err *e)
{
	char dir[PATH_MAX];

	if ((size_t)snprintf(dir, sizeof(dir), "%s", file) >= sizeof(dir))
		return err_sys(e, ENAMETOOLONG, "%s", file);
	for (char *p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = 0;
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			return err_sys(e, errno, "%s", dir);
		*p = '/';
	}
	return 0;
}

int text_write(const char *file, const char *text, size_t size, struct err *e)
{
	char real[PATH_MAX], tmp[PATH_MAX + 16];
	struct stat st = {.st_mode = 0644, .st_uid = geteuid(), .st_gid = getegid()};
	int r = make_folders(file, e), fd;

	if (r < 0)
		return r;
	/* a link stays one, and what it points to is replaced */
	if (!realpath(file, real))
		snprintf(real, sizeof(real), "%s", file);
	if (stat(real, &st) < 0 && errno != ENOENT)
		return err_sys(e, errno, "%s", real);
	snprintf(tmp, sizeof(tmp), "%s.sbx-new", real);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, errno, "%s", tmp);
	if (write(fd, text, size) != (ssize_t)size || fchmod(fd, st.st_mode & 07777) < 0 ||
	    fchown(fd, st.st_uid, st.st_gid) < 0 || fsync(fd) < 0 || rename(tmp, real) < 0) {
		r = err_sys(e, errno ? errno : EIO, "%s", tmp);
		unlink(tmp);
	}
	close(fd);
	return r;
}

int text_remove(const char *file, struct err *e)
{
	return unlink(file) < 0 && errno != ENOENT ? err_sys(e, errno, "%s", file) : 0;
}

int text_backup_name(const char *file, char *buf, size_t size, struct err *e)
{
	return (size_t)snprintf(buf, size, "%s.before-sbx", file) >= size ? err_sys(e, ENAMETOOLONG, "%s", file) : 0;
}

int text_backup(const char *file, const char *text, size_t size, struct err *e)
{
	char name[PATH_MAX];
	int r = text_backup_name(file, name, sizeof(name), e);

	return r < 0 ? r : text_write(name, text, size, e);
}
