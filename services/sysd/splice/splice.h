/* Moving bytes between files without the guest's memory: splice, tee, vmsplice, sendfile,
 * copy_file_range. */
#ifndef SYSD_SPLICE_SPLICE_H
#define SYSD_SPLICE_SPLICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct file;
struct pipe;
struct task;

#define SPLICE_MAX 0x7ffff000ul /* of one call, as MAX_RW_COUNT */

/* Both descriptors as files, with a reference each, or neither: false is EBADF. */
bool splice_files(struct task *t, int in_fd, int out_fd, struct file **ret_in, struct file **ret_out);
/* Can the file be read or written for splicing? Files of the tree, memfds and sockets. */
bool splice_can(const struct file *f);
/* An offset in guest memory: 0, -EFAULT or -EINVAL (negative). uaddr must not be 0. */
int splice_get_off(struct task *t, uint64_t uaddr, int64_t *ret);

/* pos NULL: the file's own position or none (a stream). The count, 0 at the end, or -errno. */
ssize_t splice_file_to_pipe(struct task *t, struct file *in, struct pipe *p, int64_t *pos, size_t size,
			    bool nonblock);
ssize_t splice_pipe_to_file(struct pipe *p, struct file *out, int64_t *pos, size_t size, bool nonblock,
			    bool more);
ssize_t splice_pipe_to_pipe(struct task *t, struct pipe *in, struct pipe *out, size_t size, bool nonblock);

#endif
