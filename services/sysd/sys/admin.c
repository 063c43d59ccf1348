/* Calls that administer a machine. A sandbox has none to administer: the caller sees what a container
 * sees that lacks the capability, after the checks that Linux makes before it. */
#include <linux/capability.h>
#include <linux/reboot.h>
#include <signal.h>
#include "common/base/util.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/sys/klog.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

/* In a pid namespace reboot(2) ends its init: as if by SIGHUP for a restart, SIGINT for a halt. */
SYS_HANDLER(reboot)
{
	struct signal *init;
	int signo;

	if (!capable(t, CAP_SYS_BOOT))
		return -EPERM;
	if ((uint32_t)a[0] != LINUX_REBOOT_MAGIC1 ||
	    ((uint32_t)a[1] != LINUX_REBOOT_MAGIC2 && (uint32_t)a[1] != LINUX_REBOOT_MAGIC2A &&
	     (uint32_t)a[1] != LINUX_REBOOT_MAGIC2B && (uint32_t)a[1] != LINUX_REBOOT_MAGIC2C))
		return -EINVAL;
	switch ((uint32_t)a[2]) {
	case LINUX_REBOOT_CMD_RESTART:
	case LINUX_REBOOT_CMD_RESTART2:
		signo = SIGHUP;
		break;
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
		signo = SIGINT;
		break;
	default:
		return -EINVAL;
	}
	init = signal_find(1);
	if (!init)
		return -EPERM;
	klog(KLOG_NOTICE, "reboot: requested by pid %u", t->signal->pid);
	signal_group_exit(init, signo);
	return 0;
}

SYS_HANDLER(acct)
{
	return capable(t, CAP_SYS_PACCT) ? -ENOSYS : -EPERM; /* built without process accounting */
}

SYS_HANDLER(swapon)
{
	return -EPERM;
}

SYS_HANDLER(swapoff)
{
	return -EPERM;
}

SYS_HANDLER(iopl)
{
	if ((uint32_t)a[0] > 3)
		return -EINVAL;
	return (uint32_t)a[0] == 0 ? 0 : -EPERM;
}

SYS_HANDLER(ioperm)
{
	if (a[0] + a[1] <= a[0] || a[0] + a[1] > 65536)
		return -EINVAL;
	return (int)a[2] ? -EPERM : 0;
}

SYS_HANDLER(init_module)
{
	return -EPERM;
}

SYS_HANDLER(finit_module)
{
	return -EPERM;
}

SYS_HANDLER(delete_module)
{
	return -EPERM;
}

SYS_HANDLER(kexec_load)
{
	return -EPERM;
}

SYS_HANDLER(kexec_file_load)
{
	return -EPERM;
}

SYS_HANDLER(bpf)
{
	return -EPERM; /* as with kernel.unprivileged_bpf_disabled */
}

SYS_HANDLER(perf_event_open)
{
	return -EACCES; /* as with kernel.perf_event_paranoid 3 */
}

SYS_HANDLER(userfaultfd)
{
	return -EPERM; /* as with vm.unprivileged_userfaultfd 0 */
}

/* No file system here keeps quotas. */
SYS_HANDLER(quotactl)
{
	return capable(t, CAP_SYS_ADMIN) ? -ESRCH : -EPERM;
}

SYS_HANDLER(quotactl_fd)
{
	return capable(t, CAP_SYS_ADMIN) ? -ESRCH : -EPERM;
}
