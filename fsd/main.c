/* sbx-fsd: serves the files of a sandbox's mounts to its sysd, and nothing else. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "common/ipc/service.h"
#include "common/ipc/startup.h"
#include "common/log/log.h"
#include "fsd/serve.h"

int main(int argc, char **argv)
{
	static struct server server;
	struct service_options opt;
	int ret;

	if (service_start(argc, argv, "fsd", &opt) < 0)
		return 1;
	watch_set_limit();
	ret = confine_enter(&confine_fsd, &opt.confine);
	if (ret < 0)
		return service_fail("cannot enter the sandbox: %s", strerror(-ret));
	umask(0);
	ret = node_init();
	if (ret < 0)
		return service_fail("no memory for the node table");
	ret = mount_receive(FSD_FD_LAUNCH_PASS);
	if (ret < 0)
		return service_fail("no mount sources from the launcher: %s", strerror(-ret));
	close(FSD_FD_LAUNCH_PASS);
	ret = server_init(&server, FSD_FD_SYSD_RING, FSD_FD_SYSD_PASS);
	if (ret < 0)
		return service_fail("no ring to sysd: %s", strerror(-ret));
	close(FSD_FD_SYSD_RING);
	if (fcntl(FSD_FD_PROC, F_GETFD) >= 0)
		server.proc_fd = FSD_FD_PROC;
	server.host_sockets = opt.confine.host_sockets;
	/* inotify_add_watch(2) takes no descriptor of a directory, only a path */
	server.proc_cwd = server.proc_fd >= 0 && fchdir(server.proc_fd) == 0;
	news_start(&server);
	ret = confine_apply(&confine_fsd, &opt.confine);
	if (ret < 0)
		return service_fail("cannot install the system call filter: %s", strerror(-ret));
	service_ready();
	ret = server_run(&server);
	log_error("the ring to sysd is broken: %s", strerror(-ret));
	return 1;
}
