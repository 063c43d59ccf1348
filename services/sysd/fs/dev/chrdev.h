/* Character devices of the sandbox: which file operations stand behind a device number. Any file
 * system may hold a node (mknod(2)); opening one never reaches a device of the host. */
#ifndef SYSD_FS_DEV_CHRDEV_H
#define SYSD_FS_DEV_CHRDEV_H

#include <stdint.h>

struct file_ops;

#define CHRDEV_ANY_MINOR UINT32_MAX

/* Registers the operations of a device (fops stays the caller's, for ever). CHRDEV_ANY_MINOR: every
 * minor number that has no entry of its own. Their `open` gets the file of the node; it may replace
 * file->op and file->priv. 0, -EEXIST or -ENOSPC. */
int chrdev_register(uint32_t major, uint32_t minor, const struct file_ops *fops);
/* NULL: no such device. */
const struct file_ops *chrdev_find(uint32_t major, uint32_t minor);

/* inode->fop of every S_IFCHR inode of every file system: its open finds the device by inode->rdev,
 * sets file->op and calls its open. -ENXIO: no such device. */
extern const struct file_ops chrdev_fops;

/* Registers null, zero, full, random, urandom, kmsg and the file system type devtmpfs. Call once at
 * start; the tty devices register themselves. */
void dev_init(void);

/* Makes the nodes that programs expect in /dev in the root of a file system: the launcher mounts a plain
 * tmpfs on /dev and asks for them. */
struct super_block;
int dev_populate(struct super_block *sb);

#endif
