/* Calls for administrators, from a user who is none. */
#include "tests/guest/show.h"
#include <linux/reboot.h>
#include <sys/klog.h>
#include <sys/reboot.h>
#include <sys/swap.h>
int main(void)
{
	if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		return 77;
	SHOW(reboot(LINUX_REBOOT_CMD_CAD_ON));
	SHOW(swapon("/nothing", 0));
	SHOW(swapoff("/nothing"));
	SHOW(acct("/nothing"));
	SHOW(vhangup());
	SHOW(klogctl(5, NULL, 0));
	SHOW(klogctl(99, NULL, 0));
	return 0;
}
