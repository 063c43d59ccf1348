/* The list of subsystems; see init.h. */
#include "services/sysd/init.h"

#include <stddef.h>

/* Weak: a build without a subsystem (a unit test) leaves it out. */
#define SUBSYSTEM(name) extern void name(void) __attribute__((weak));
SUBSYSTEM(kinfo_host_init)
SUBSYSTEM(klog_boot)
SUBSYSTEM(time_host_init)
SUBSYSTEM(time_init)
SUBSYSTEM(tty_init)
SUBSYSTEM(tmpfs_init)
SUBSYSTEM(anon_inode_init)
SUBSYSTEM(dev_init)
SUBSYSTEM(overlay_init)
SUBSYSTEM(proc_fs_init)
SUBSYSTEM(sysfs_init)
SUBSYSTEM(devpts_init)
SUBSYSTEM(mqueue_init)
#undef SUBSYSTEM

#define CALL(name)        \
	do {              \
		if (name) \
			name(); \
	} while (0)

void subsystems_host_init(void)
{
	CALL(kinfo_host_init);
	CALL(time_host_init);
}

int subsystems_init(void)
{
	CALL(klog_boot);
	CALL(anon_inode_init);
	CALL(tmpfs_init);
	CALL(dev_init);
	CALL(devpts_init);
	CALL(tty_init);
	CALL(time_init);
	CALL(overlay_init);
	CALL(proc_fs_init);
	CALL(sysfs_init);
	CALL(mqueue_init);
	return 0;
}
