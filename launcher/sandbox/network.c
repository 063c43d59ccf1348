#include "launcher/sandbox/network.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "launcher/net/nat.h"
#include "launcher/net/resolver.h"
#include "launcher/net/take.h"
#include "launcher/net/undo.h"
#include "launcher/sandbox/sandbox.h"

bool network_is(const struct sandbox *sb, const char *mode)
{
	return sb->opt->network && !strcmp(sb->opt->network, mode);
}

static bool same_namespace(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

/* The pair is made on the host's side. */
static int set_up_nat(struct sandbox *sb, struct err *e)
{
	int r;

	if (setns(sb->host_netns_fd, CLONE_NEWNET) < 0)
		return err_sys(e, errno, "returning to the host's network namespace");
	r = nat_set_up(sb->netns_fd, sb->net->undo, e);
	if (setns(sb->netns_fd, CLONE_NEWNET) < 0)
		return err_sys(e, errno, "entering the sandbox's network namespace");
	return r;
}

/* The resolv.conf that the container will see: what is mounted there, or the image's own. */
static int open_resolv_conf(const struct sandbox *sb)
{
	const struct ctl_config *c = sb->spec->config;
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_IN_ROOT};
	CLEANUP_CLOSE int root = -1;

	for (size_t i = c->mount_count; i-- > 1;)
		if (!strcmp(c->mounts[i].target, "/etc/resolv.conf") && c->mounts[i].index >= 0 &&
		    (size_t)c->mounts[i].index < sb->spec->source_count)
			return open(sb->spec->sources[c->mounts[i].index].path, (int)how.flags);
	root = open(sb->spec->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -1 : (int)syscall(SYS_openat2, root, "etc/resolv.conf", &how, sizeof(how));
}

/* A name server at a loopback address is the host's: in the container's namespace (Docker), or in ours. */
static int take_resolver(struct sandbox *sb, struct err *e)
{
	CLEANUP_CLOSE int fd = open_resolv_conf(sb);
	char text[16384];
	struct stat st;
	ssize_t n = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, text, sizeof(text) - 1) : 0;
	bool nat = network_is(sb, "nat");
	int r;

	text[MAX(n, 0)] = 0;
	sb->net->config.resolver = resolver_find(text);
	if (!sb->net->config.resolver.family)
		return 0;
	if (nat && setns(sb->host_netns_fd, CLONE_NEWNET) < 0)
		return err_sys(e, errno, "returning to the host's network namespace");
	r = resolver_open(&sb->net->config.resolver, e);
	sb->net->resolver_fd = r;
	if (r >= 0)
		r = resolver_open_tcp(sb->net->resolver_tcp, e);
	if (nat && setns(sb->netns_fd, CLONE_NEWNET) < 0)
		return err_sys(e, errno, "entering the sandbox's network namespace");
	return r < 0 ? r : 0;
}

/* With nat the host's name servers are the container's, unless its bundle has a resolv.conf to mount. `do` sees the
 * host's files anyway. */
static int lend_resolv_conf(struct sandbox *sb, struct err *e)
{
	struct spec *s = sb->spec;
	char real[PATH_MAX];
	struct ctl_mount *m;
	int index;

	if (!strcmp(s->rootfs, "/") || !realpath("/etc/resolv.conf", real))
		return 0;
	for (size_t i = 1; i < s->config->mount_count; i++)
		if (!strcmp(s->config->mounts[i].target, "/etc/resolv.conf") || !strcmp(s->config->mounts[i].target, "/etc"))
			return 0;
	index = spec_add_source(s, real, true, false, e);
	m = index < 0 ? NULL : spec_add_mount(s, "/etc/resolv.conf", "gofer", real, NULL, MS_RDONLY, e);
	if (!m)
		return -e->code;
	m->index = index;
	m->file = s->sources[index].file;
	m->shared = true;
	return 0;
}

/* With the host's sockets nothing is taken: the container sees what interfaces there are. */
static int show(struct sandbox *sb, struct err *e)
{
	int r = net_read(sb->net, e);

	for (size_t i = 0; r == 0 && i < sb->net->config.link_count; i++)
		sb->net->config.links[i].kind = LINK_HOST;
	return r;
}

static int take(struct sandbox *sb, struct err *e)
{
	int r;

	if (network_is(sb, "host"))
		return show(sb, e);
	if (sb->netns_fd < 0 || same_namespace(sb->netns_fd, sb->host_netns_fd))
		return 0; /* what is the host's own is not taken */
	sb->net->undo = undo_new();
	if (sb->net->undo < 0)
		return err_sys(e, -sb->net->undo, "the way back");
	r = janitor_add_undo(&sb->janitor, sb->net->undo, sb->netns_fd);
	if (r < 0)
		return err_sys(e, -r, "the janitor does not listen");
	if (network_is(sb, "nat") && ((r = set_up_nat(sb, e)) < 0 || (r = lend_resolv_conf(sb, e)) < 0))
		return r;
	r = net_read(sb->net, e);
	if (r == 0)
		r = take_resolver(sb, e);
	if (r == 0 && sb->net->resolver_fd >= 0 && !network_is(sb, "nat")) {
		struct err why = {0};

		sb->net->keep_v4 = nat_hush(sb->net->undo, &why) == 0;
		if (!sb->net->keep_v4)
			log_warn("%s: the engine's name server will find names of containers only", why.text);
	}
	return r < 0 ? r : net_take(sb->net, e);
}

int network_set_up(struct sandbox *sb, struct err *e)
{
	int r = 0;

	sb->net = calloc(1, sizeof(*sb->net));
	if (!sb->net)
		return err_sys(e, ENOMEM, "network");
	net_taken_init(sb->net);
	if (sb->opt->pcap) {
		sb->net->pcap_fd = open(sb->opt->pcap, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
		if (sb->net->pcap_fd < 0)
			return err_sys(e, errno, "--pcap: %s", sb->opt->pcap);
	}
	if (network_is(sb, "none"))
		sb->net->config.none = true;
	else
		r = take(sb, e);
	return r < 0 ? r : net_seal(sb->net, e);
}

int network_feed(struct sandbox *sb, int pass_fd, struct err *e)
{
	return net_send(sb->net, pass_fd, e);
}

void network_done(struct sandbox *sb)
{
	if (!sb->net)
		return;
	net_taken_done(sb->net);
	free(sb->net);
	sb->net = NULL;
}
