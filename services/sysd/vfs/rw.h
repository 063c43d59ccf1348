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

#endif
