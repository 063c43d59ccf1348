/* The files in /proc/PID/ns: each holds the namespaces that its task had when it was looked up. */
#ifndef SYSD_FS_NSFS_NSFS_H
#define SYSD_FS_NSFS_NSFS_H

#include <stdint.h>

struct file;
struct nsproxy;
struct path;

/* A nameless file for the namespace of ns that `clone_flag` (ABI_CLONE_NEW*) names, with its number as inode number.
 * *ret holds a reference. 0 or -ENOMEM. */
int nsfs_path(const char *name, uint64_t number, struct nsproxy *ns, uint64_t clone_flag, struct path *ret);
/* Which namespace an open file stands for; NULL: it is no such file. The reference stays the file's. */
struct nsproxy *nsfs_get(const struct file *file, uint64_t *ret_clone_flag);

#endif
