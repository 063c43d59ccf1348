/* proc's registration, for the kernel's start-up. */
#ifndef SYSD_FS_PROC_FSTYPE_H
#define SYSD_FS_PROC_FSTYPE_H
void proc_fs_init(void);
#endif
