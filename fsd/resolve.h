/* Reaching files beneath a mount. Each function takes a directory's descriptor and one name, which
 * the decoder has checked ("..", "/" and NUL are not names); symbolic links are never followed. */
#ifndef FSD_RESOLVE_H
#define FSD_RESOLVE_H

#include <stdint.h>
#include <sys/stat.h>
#include "fsd/mount.h"

#define FSD_STATX_MASK (STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID)

/* openat2(2) of one name with the restrictions of the mount; flags without O_CREAT act on what is
 * there and do not follow it. The descriptor (CLOEXEC) or -errno. */
int resolve_open(const struct fsd_mount *m, int dirfd, const char *name, int flags, uint32_t mode);
/* An O_PATH descriptor of anything, a symbolic link itself included, and what it is. */
int resolve_open_path(const struct fsd_mount *m, int dirfd, const char *name, struct statx *ret_sx);
/* Attributes of a name (not followed). -EXDEV when another mount begins there and the mount does not
 * take it in. */
int resolve_stat(const struct fsd_mount *m, int dirfd, const char *name, struct statx *ret_sx);
/* A regular file or directory for I/O: checked before it is opened (opening a device has side
 * effects) and after. -EINVAL: neither. */
int resolve_open_data(const struct fsd_mount *m, int dirfd, const char *name, int flags,
		      struct statx *ret_sx);

/* A new open file description, O_RDONLY or O_RDWR, of the regular file that fd (of any kind) is: by /proc, since the
 * file may have no name any more. -ENOENT without a proc_fd. */
int resolve_reopen(int proc_fd, int fd, int flags);

#endif
