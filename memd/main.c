/* sbx-memd: address spaces of the guest and the supervisor of its processes. See README.md, and
 * common/ipc/startup.h for its descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "common/confine/confine.h"
#include "common/ipc/service.h"
#include "common/log/log.h"
#include "memd/memd.h"

int main(int argc, char **argv)
{
	static struct memd m;
	struct service_options opt;
	int ret;

	if (service_start(argc, argv, "memd", &opt) < 0)
		return 1;
	/* Before the empty root, in case /proc did not come as a descriptor. */
	ret = memd_init(&m, MEMD_FD_SYSD_RING, MEMD_FD_SYSD_PASS, MEMD_FD_LAUNCH_PASS,
			fcntl(MEMD_FD_PROC, F_GETFD) >= 0 ? MEMD_FD_PROC : -1);
	if (ret < 0)
		return service_fail("cannot start: %s", strerror(-ret));
	ret = confine_enter(&confine_memd, &opt.confine);
	if (ret < 0)
		return service_fail("cannot enter the sandbox: %s", strerror(-ret));
	ret = memd_bring_up(&m);
	if (ret < 0)
		return service_fail("cannot make the first guest process: %s (it needs seccomp user notification, Linux 5.19 or newer)", strerror(-ret));
	ret = confine_apply(&confine_memd, &opt.confine);
	if (ret < 0) {
		memd_done(&m);
		return service_fail("cannot install the system call filter: %s", strerror(-ret));
	}
	service_ready();
	ret = memd_serve(&m);
	memd_done(&m);
	log_info("ends: %s", ret ? strerror(-ret) : "sysd is gone");
	return ret ? 1 : 0;
}
