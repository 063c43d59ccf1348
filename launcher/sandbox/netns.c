/* The network namespace of the host that belongs to a container: linux.namespaces says which. The
 * supervisor lives in it, so that /proc/PID/ns/net of the pid in the container's state is the one that
 * engines and hooks want to fill. */
#include <fcntl.h>
#include <sched.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "launcher/sandbox/network.h"
#include "launcher/sandbox/sandbox.h"

int netns_enter(struct sandbox *sb, struct err *e)
{
	const struct spec *s = sb->spec;

	sb->host_netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (sb->host_netns_fd < 0)
		return err_sys(e, errno, "/proc/self/ns/net");
	if (network_is(sb, "host"))
		log_warn("--network=host: the container's sockets are the host kernel's, and netd's filter is wider");
	if (network_is(sb, "nat")) {
		/* a namespace of its own, whatever the spec says: the link is made for it */
		if (s->netns == SPEC_NETNS_PATH)
			return err_set(e, EINVAL, "--network=nat: linux.namespaces names a network namespace that "
				       "somebody else fills");
		if (unshare(CLONE_NEWNET) < 0)
			return err_sys(e, errno, "a new network namespace");
		sb->netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		return sb->netns_fd < 0 ? err_sys(e, errno, "/proc/self/ns/net") : 0;
	}
	if (s->netns == SPEC_NETNS_NONE)
		return 0;
	if (s->netns == SPEC_NETNS_PATH) {
		CLEANUP_CLOSE int fd = open(s->netns_path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return err_sys(e, errno, "linux.namespaces: %s", s->netns_path);
		if (setns(fd, CLONE_NEWNET) < 0)
			return err_sys(e, errno, "joining the network namespace %s", s->netns_path);
	} else if (s->netns == SPEC_NETNS_HOST) {
		if (!network_is(sb, "none") && !network_is(sb, "host"))
			return err_set(e, ENOTSUP, "linux.namespaces: without \"network\" the container would share "
				       "the host's; only --network=host gives it the host's sockets");
	} else if (s->netns == SPEC_NETNS_NEW && unshare(CLONE_NEWNET) < 0) {
		return err_sys(e, errno, "a new network namespace");
	}
	sb->netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return sb->netns_fd < 0 ? err_sys(e, errno, "/proc/self/ns/net") : 0;
}
