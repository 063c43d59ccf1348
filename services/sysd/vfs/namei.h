/* Path resolution (path_resolution(7)). May sleep. */
#ifndef SYSD_VFS_NAMEI_H
#define SYSD_VFS_NAMEI_H

#include "services/sysd/vfs/dentry.h"

struct task;
struct file;
struct inode;

#define LOOKUP_FOLLOW 1u      /* follow a final symbolic link */
#define LOOKUP_DIRECTORY 2u   /* the result must be a directory */
#define LOOKUP_EMPTY 4u       /* AT_EMPTY_PATH */
#define LOOKUP_CREATE 8u
#define LOOKUP_NO_SYMLINKS 16u    /* openat2 RESOLVE_* */
#define LOOKUP_NO_MAGICLINKS 32u
#define LOOKUP_NO_XDEV 64u
#define LOOKUP_BENEATH 128u
#define LOOKUP_IN_ROOT 256u
#define LOOKUP_CACHED 512u

/* Resolves from dirfd (AT_FDCWD or a descriptor) as t sees it. *ret holds references. */
int path_lookup(struct task *t, int dirfd, const char *name, unsigned flags, struct path *ret);
/* The same with a guest pointer. */
int user_path_lookup(struct task *t, int dirfd, uint64_t uname, unsigned flags, struct path *ret);
/* From a given place, with t's credentials and root. */
int path_lookup_at(struct task *t, const struct path *from, const char *name, unsigned flags,
		   struct path *ret);
/* The parent directory and the last component (for create, unlink, rename): *ret_last is a fresh
 * allocation; *ret_type says what it is. */
enum last_type { LAST_NORM, LAST_DOT, LAST_DOTDOT, LAST_ROOT };
int path_parent(struct task *t, int dirfd, const char *name, unsigned flags, struct path *ret_parent,
		char **ret_last, enum last_type *ret_type, bool *ret_trailing_slash);
/* open(2): flags as openat's, LOOKUP_* restrictions of openat2 in lookup_flags. */
int vfs_open(struct task *t, int dirfd, const char *name, unsigned flags, uint32_t mode,
	     unsigned lookup_flags, struct file **ret);

/* Makes a node as mknod(2) does, but with the mode as given (the umask is the caller's business): bind(2)
 * of UNIX sockets. *ret (may be NULL) is the new place, with references. -EEXIST when the name is there. */
int vfs_mknod(struct task *t, int dirfd, const char *name, uint32_t mode, uint64_t rdev, struct path *ret);

/* Permission of t (fsuid, fsgid, capabilities) on an inode; mask of MAY_*. 0 or -EACCES, -EPERM. */
#define MAY_EXEC 1
#define MAY_WRITE 2
#define MAY_READ 4
#define MAY_APPEND 8
#define MAY_CHDIR 64
int generic_permission(const struct inode *inode, const struct task *t, int mask);
int inode_permission(struct inode *inode, struct task *t, int mask);
/* 0, or -EROFS when the mount or its file system is read-only. */
int mnt_want_write(const struct path *p);

/* The one decision point of opens, execs and connects (subject, object, action): 0 or -errno. */
int policy_check_path(struct task *t, const struct path *p, unsigned action);
#define POLICY_OPEN_READ 1u
#define POLICY_OPEN_WRITE 2u
#define POLICY_EXEC 4u
#define POLICY_CREATE 8u
#define POLICY_DELETE 16u
#define POLICY_CONNECT 32u
#define POLICY_MOUNT 64u

#endif
