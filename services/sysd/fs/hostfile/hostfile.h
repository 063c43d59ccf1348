/* A file over a descriptor that the launcher donated: the stdio of the container when it is no
 * terminal. Pipes and terminals come with a description of their own that does not block (the
 * launcher reopened them), sockets are used with MSG_DONTWAIT, files are read by the workers. */
#ifndef SYSD_FS_HOSTFILE_HOSTFILE_H
#define SYSD_FS_HOSTFILE_HOSTFILE_H

#include <stdbool.h>

struct file;

/* Takes the descriptor over on success. 0 or -errno. */
int hostfile_new(int fd, struct file **ret);
/* The host's /dev/null: the container's own is the better one. */
bool hostfile_is_null(int fd);

#endif
