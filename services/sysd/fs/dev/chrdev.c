/* The table of character devices; see chrdev.h. */
#include "services/sysd/fs/dev/chrdev.h"

#include <errno.h>
#include <stddef.h>
#include <sys/sysmacros.h>

#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

#define CHRDEVS_MAX 64

static struct chrdev {
	uint32_t major, minor;
	const struct file_ops *fops;
} devices[CHRDEVS_MAX];
static unsigned count;

int chrdev_register(uint32_t major, uint32_t minor, const struct file_ops *fops)
{
	for (unsigned i = 0; i < count; i++)
		if (devices[i].major == major && devices[i].minor == minor)
			return -EEXIST;
	if (count == CHRDEVS_MAX)
		return -ENOSPC;
	devices[count++] = (struct chrdev){major, minor, fops};
	return 0;
}

const struct file_ops *chrdev_find(uint32_t major, uint32_t minor)
{
	const struct file_ops *any = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (devices[i].major != major)
			continue;
		if (devices[i].minor == minor)
			return devices[i].fops;
		if (devices[i].minor == CHRDEV_ANY_MINOR)
			any = devices[i].fops;
	}
	return any;
}

static int chrdev_open(struct inode *inode, struct file *file)
{
	const struct file_ops *fops = chrdev_find(major(inode->rdev), minor(inode->rdev));

	if (!fops)
		return -ENXIO;
	file->op = fops;
	return fops->open ? fops->open(inode, file) : 0;
}

const struct file_ops chrdev_fops = {.open = chrdev_open};
