/* The memory devices. */
#ifndef SYSD_FS_DEV_MEM_H
#define SYSD_FS_DEV_MEM_H
void mem_devices_init(void);
#endif
