/* Calls for administrators, from a user who is none. */
#include "tests/guest/show.h"
#include <linux/reboot.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/quota.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/syscall.h>
int main(void)
{
	if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		return 77;
	SHOW(reboot(LINUX_REBOOT_CMD_CAD_ON));
	SHOW(swapon("/nothing", 0));
	SHOW(swapoff("/nothing"));
	SHOW(acct("/nothing"));
	SHOW(iopl(3));
	SHOW(ioperm(0x80, 1, 1));
	SHOW(syscall(SYS_init_module, NULL, 0, ""));
	SHOW(syscall(SYS_delete_module, "x", 0));
	SHOW(syscall(SYS_kexec_load, 0, 0, NULL, 0));
	SHOW(vhangup());
	SHOW(klogctl(5, NULL, 0));
	SHOW(klogctl(99, NULL, 0));
	return 0;
}
