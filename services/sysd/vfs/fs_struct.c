/* Root, working directory and umask of a task (CLONE_FS). */
#include "services/sysd/vfs/fs_struct.h"

#include "common/base/util.h"

struct fs_struct *fs_struct_new(const struct path *root, const struct path *pwd)
{
	struct fs_struct *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return NULL;
	fs->refs = 1;
	fs->umask = 022;
	if (root)
		fs->root = *root;
	if (pwd)
		fs->pwd = *pwd;
	path_get(&fs->root);
	path_get(&fs->pwd);
	return fs;
}

struct fs_struct *fs_struct_ref(struct fs_struct *fs)
{
	fs->refs++;
	return fs;
}

struct fs_struct *fs_struct_dup(const struct fs_struct *old)
{
	struct fs_struct *fs = fs_struct_new(&old->root, &old->pwd);

	if (fs)
		fs->umask = old->umask;
	return fs;
}

void fs_struct_unref(struct fs_struct *fs)
{
	if (!fs || --fs->refs)
		return;
	path_put(&fs->pwd);
	path_put(&fs->root);
	free(fs);
}
