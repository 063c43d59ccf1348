/* sbx-netd: the network stack's process. It starts confined like every service and keeps sysd's ring; the
 * stack behind it is not there yet, so it has no link and refuses what it is asked (docs/status.md). */
#include <errno.h>
#include <string.h>

#include "common/chan/ring.h"
#include "common/confine/confine.h"
#include "common/ipc/service.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"

int main(int argc, char **argv)
{
	static uint8_t msg[4096];
	struct service_options opt;
	struct ring ring;
	int ret;

	if (service_start(argc, argv, "netd", &opt) < 0)
		return 1;
	ret = confine_enter(&confine_netd, &opt.confine);
	if (ret < 0)
		return service_fail("cannot enter the sandbox: %s", strerror(-ret));
	ret = ring_open(&ring, NETD_FD_SYSD_RING, SBX_RING_SIDE_PEER);
	if (ret < 0)
		return service_fail("no ring to sysd: %s", strerror(-ret));
	ret = confine_apply(&confine_netd, &opt.confine);
	if (ret < 0)
		return service_fail("cannot install the system call filter: %s", strerror(-ret));
	service_ready();
	for (;;) {
		ssize_t n = ring_recv(&ring, msg, sizeof(msg));

		if (n == -EAGAIN) {
			ring_wait(&ring, 0, -1);
			continue;
		}
		if (n < 0) {
			log_error("the ring to sysd is broken: %s", strerror((int)-n));
			return 1;
		}
		log_warn("refused a message of %zd bytes: there is no stack", n);
	}
}
