/* sbx-sysd: the kernel of the sandbox. Starts confined, then runs the executor until the sandbox ends.
 * See common/ipc/startup.h for its descriptors. */
#include <string.h>

#include "common/confine/confine.h"
#include "common/ipc/msg_ctl.h"
#include "common/ipc/service.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/ctl/ctl.h"
#include "services/sysd/fs/gofer/gofer.h"
#include "services/sysd/init.h"
#include "services/sysd/mm/memd_client.h"
#include "services/sysd/net/inet/client.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/syscall/syscall.h"

#define BLANK_POOL 3 /* blank processes kept ready for exec */

int main(int argc, char **argv)
{
	struct service_options opt;
	int ret;

	if (service_start(argc, argv, "sysd", &opt) < 0)
		return 1;
	subsystems_host_init();
	ret = confine_enter(&confine_sysd, &opt.confine);
	if (ret < 0)
		return service_fail("cannot enter the sandbox: %s", strerror(-ret));
	strace_enabled = opt.strace;
	ret = sched_init();
	if (ret < 0)
		return service_fail("cannot start the executor: %s", strerror(-ret));
	ret = platform_init();
	if (ret < 0)
		return service_fail("cannot make the control page: %s", strerror(-ret));
	platform_ctl()->strict_mm = opt.strict_mm;
	ret = subsystems_init();
	if (ret < 0)
		return service_fail("cannot start the file systems: %s", strerror(-ret));
	ret = memd_client_start(SYSD_FD_MEMD_RING, SYSD_FD_MEMD_PASS, BLANK_POOL);
	if (ret < 0)
		return service_fail("no answer from memd: %s", strerror(-ret));
	ret = gofer_connect(SYSD_FD_FSD_RING, SYSD_FD_FSD_PASS);
	if (ret < 0)
		return service_fail("no connection to fsd: %s", strerror(-ret));
	ctl_on_restart(CTL_SERVICE_FSD, gofer_reconnect);
	ret = netd_connect(SYSD_FD_NETD_RING, SYSD_FD_NETD_PASS);
	if (ret < 0)
		return service_fail("no connection to netd: %s", strerror(-ret));
	ctl_on_restart(CTL_SERVICE_NETD, netd_reconnect);
	ret = ctl_start(SYSD_FD_LAUNCH_PASS);
	if (ret < 0)
		return service_fail("cannot listen for the launcher: %s", strerror(-ret));
	ret = confine_apply(&confine_sysd, &opt.confine);
	if (ret < 0)
		return service_fail("cannot install the system call filter: %s", strerror(-ret));
	service_ready();
	sched_run();
	log_info("the sandbox has ended");
	return 0;
}
