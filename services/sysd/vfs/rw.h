/* Reading and writing below the access mode check and the position's lock. */
#ifndef SYSD_VFS_RW_H
#define SYSD_VFS_RW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct file;
struct uio;

/* pos NULL: a stream. append: write at the end, wherever *pos points. */
ssize_t file_read_at(struct file *f, struct uio *u, int64_t *pos);
ssize_t file_write_at(struct file *f, struct uio *u, int64_t *pos, bool append);
/* The flags of preadv2 and pwritev2 (RWF_*) on top of what the description says; access mode checked here.
 * pos NULL: the file's own position, or a stream. */
ssize_t file_rw_flags(struct file *f, struct uio *u, int64_t *pos, bool write, unsigned flags);
/* 0, -EOPNOTSUPP for an unknown flag, -EINVAL for two that exclude each other. */
int file_check_rwf(bool write, unsigned flags);

#endif
