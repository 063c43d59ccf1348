/* What CLONE_FS shares: root, working directory, umask. */
#ifndef SYSD_VFS_FS_STRUCT_H
#define SYSD_VFS_FS_STRUCT_H
#include "services/sysd/vfs/dentry.h"

struct fs_struct {
	unsigned refs;
	struct path root, pwd;
	uint32_t umask;
};
struct fs_struct *fs_struct_new(const struct path *root, const struct path *pwd);
struct fs_struct *fs_struct_ref(struct fs_struct *fs);
struct fs_struct *fs_struct_dup(const struct fs_struct *fs);
void fs_struct_unref(struct fs_struct *fs);
#endif
