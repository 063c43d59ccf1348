/* The devpts file system: a directory of pty slaves. Every mount is an instance of its own. */
#ifndef SYSD_FS_DEVPTS_DEVPTS_H
#define SYSD_FS_DEVPTS_DEVPTS_H

struct devpts;
struct inode;
struct super_block;
struct tty;

void devpts_init(void);
/* The instance of a file system; NULL: it is no devpts. */
struct devpts *devpts_of_sb(const struct super_block *sb);
/* Gives tty the lowest free number and a node, owned by the current task (or as the options say); holds
 * a reference until devpts_remove. 0, -ENOSPC or -ENOMEM. */
int devpts_add(struct devpts *dp, struct tty *tty);
void devpts_remove(struct tty *tty);
/* The tty of a slave's node; NULL: none. No reference. */
struct tty *devpts_find(const struct inode *inode);

#endif
