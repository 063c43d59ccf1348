#include "launcher/net/nat.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "common/base/util.h"
#include "launcher/net/rtnl.h"
#include "launcher/net/undo.h"

/* Who needs forwarding, by name of the host's end, and what the host had set before the first. */
#define USERS_DIR "/run/sbx-nat"
#define FORWARD_FILE ".ip_forward"
#define IP_FORWARD "/proc/sys/net/ipv4/ip_forward"
#define NETWORK 0x0ad50000u /* 10.213.0.0/16, in subnets of four */
#define SUBNETS 16384u

static const char *const places[] = {"/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"};

/* The full name of a program of the host; false: there is none. */
static bool find_program(const char *name, char *ret, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(ret, size, "%s/%s", places[i], name);
		if (access(ret, X_OK) == 0)
			return true;
	}
	return false;
}

pid_t nat_spawn(char *const argv[], int err_fd)
{
	char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};
	pid_t pid = fork();
	sigset_t none;
	int null;

	if (pid != 0)
		return pid;
	null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	dup2(err_fd >= 0 ? err_fd : null, 2);
	for (int sig = 1; sig < 65; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(argv[0], argv, env);
	_exit(127);
}

/* Runs a program and waits; its first words on failure become the error. */
static int run(char *const argv[], struct err *e)
{
	char text[256] = "";
	int out[2], status = -1;
	ssize_t n;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, errno, "pipe");
	pid = nat_spawn(argv, out[1]);
	close(out[1]);
	n = pid < 0 ? -1 : read(out[0], text, sizeof(text) - 1);
	close(out[0]);
	if (pid < 0)
		return err_sys(e, errno, "fork");
	text[MAX(n, 0)] = 0;
	text[strcspn(text, "\n")] = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0)
		return 0;
	return err_set(e, EIO, "--network=nat: %s failed%s%s", argv[0], text[0] ? ": " : "", text);
}

/* ---- the subnet --------------------------------------------------------------------------------- */

struct used {
	uint32_t first, last; /* of the candidate */
	bool taken;
};

static int on_route(const struct nlmsghdr *h, void *arg)
{
	struct used *u = arg;
	const struct rtmsg *rtm = NLMSG_DATA(h);
	const struct rtattr *tb[RTA_MAX + 1];
	uint32_t dst = 0, mask;

	if (h->nlmsg_type != RTM_NEWROUTE || rtm->rtm_family != AF_INET || rtm->rtm_dst_len == 0)
		return 0;
	rtnl_parse(h, sizeof(*rtm), tb, RTA_MAX);
	dst = ntohl(rtnl_u32(tb[RTA_DST]));
	mask = rtm->rtm_dst_len >= 32 ? 0 : UINT32_MAX >> rtm->rtm_dst_len;
	if (dst <= u->last && (dst | mask) >= u->first)
		u->taken = true;
	return 0;
}

/* The first address of a subnet that the host has no route into. */
static int choose_subnet(int sock, uint32_t *ret, struct err *e)
{
	uint32_t start = (uint32_t)getpid() * 2654435761u;

	for (uint32_t i = 0; i < 64; i++) {
		struct used u = {.first = NETWORK + (start + i * 977) % SUBNETS * 4};
		const struct rtmsg rtm = {.rtm_family = AF_INET};
		struct rtnl_msg m;
		int r;

		u.last = u.first + 3;
		rtnl_init(&m, RTM_GETROUTE, 0, &rtm, sizeof(rtm));
		r = rtnl_dump(sock, &m, on_route, &u);
		if (r < 0)
			return err_sys(e, -r, "reading the host's routes");
		if (!u.taken) {
			*ret = u.first;
			return 0;
		}
	}
	return err_set(e, EADDRINUSE, "--network=nat: no subnet of 10.213.0.0/16 is free");
}

/* ---- the pair ----------------------------------------------------------------------------------- */

static int make_pair(int sock, const char *name, int netns, struct err *e)
{
	const struct ifinfomsg ifi = {0};
	struct rtattr *info, *data, *peer;
	struct rtnl_msg m;
	size_t at;
	int r;

	rtnl_init(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	rtnl_put_text(&m, IFLA_IFNAME, name);
	info = rtnl_nest(&m, IFLA_LINKINFO);
	rtnl_put_text(&m, IFLA_INFO_KIND, "veth");
	data = rtnl_nest(&m, IFLA_INFO_DATA);
	peer = rtnl_nest(&m, VETH_INFO_PEER);
	at = m.h.nlmsg_len;
	memcpy(m.buf + at, &ifi, sizeof(ifi)); /* the peer's attributes stand behind a header of their own */
	m.h.nlmsg_len = (uint32_t)(at + sizeof(ifi));
	rtnl_put_text(&m, IFLA_IFNAME, "eth0");
	rtnl_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)netns);
	rtnl_nest_end(&m, peer);
	rtnl_nest_end(&m, data);
	rtnl_nest_end(&m, info);
	r = rtnl_call(sock, &m);
	return r < 0 ? err_sys(e, -r, "--network=nat: making a veth pair") : 0;
}

static int add_addr(int sock, const char *name, uint32_t addr, struct err *e)
{
	const struct ifaddrmsg ifa = {.ifa_family = AF_INET, .ifa_prefixlen = 30, .ifa_index = if_nametoindex(name)};
	struct rtnl_msg m;
	int r;

	rtnl_init(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &ifa, sizeof(ifa));
	rtnl_put_u32(&m, IFA_LOCAL, htonl(addr));
	rtnl_put_u32(&m, IFA_ADDRESS, htonl(addr));
	rtnl_put_u32(&m, IFA_BROADCAST, htonl(addr | 3));
	r = rtnl_call(sock, &m);
	return r < 0 ? err_sys(e, -r, "--network=nat: an address for %s", name) : 0;
}

static int set_up(int sock, const char *name, struct err *e)
{
	const struct ifinfomsg ifi = {.ifi_index = (int)if_nametoindex(name), .ifi_flags = IFF_UP,
				      .ifi_change = IFF_UP};
	struct rtnl_msg m;
	int r;

	rtnl_init(&m, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	r = rtnl_call(sock, &m);
	return r < 0 ? err_sys(e, -r, "--network=nat: bringing %s up", name) : 0;
}

static int add_default_route(int sock, uint32_t gateway, struct err *e)
{
	const struct rtmsg rtm = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
				  .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST};
	struct rtnl_msg m;
	int r;

	rtnl_init(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &rtm, sizeof(rtm));
	rtnl_put_u32(&m, RTA_GATEWAY, htonl(gateway));
	rtnl_put_u32(&m, RTA_OIF, if_nametoindex("eth0"));
	r = rtnl_call(sock, &m);
	return r < 0 ? err_sys(e, -r, "--network=nat: the default route") : 0;
}

/* The sandbox's end, seen from its namespace. */
static int configure_inside(int netns, int host, uint32_t subnet, struct err *e)
{
	int r, sock = -1;

	if (setns(netns, CLONE_NEWNET) < 0)
		return err_sys(e, errno, "entering the sandbox's network namespace");
	sock = rtnl_open();
	if (sock < 0)
		r = err_sys(e, -sock, "a netlink socket");
	else if ((r = add_addr(sock, "eth0", subnet + 2, e)) == 0 && (r = set_up(sock, "eth0", e)) == 0)
		r = add_default_route(sock, subnet + 1, e);
	close_fd(&sock);
	if (setns(host, CLONE_NEWNET) < 0)
		return err_sys(e, errno, "returning to the host's network namespace");
	return r;
}

/* ---- forwarding --------------------------------------------------------------------------------- */

static int lock_users(bool make)
{
	int dir, fd;

	if (make && mkdir(USERS_DIR, 0700) < 0 && errno != EEXIST)
		return -errno;
	dir = open(USERS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = dir < 0 ? -errno : dir;
	if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

static int read_char(int dir, const char *path)
{
	CLEANUP_CLOSE int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	char c;

	return fd >= 0 && read(fd, &c, 1) == 1 ? c : -EIO;
}

static int write_char(int dir, const char *path, char c, int flags)
{
	CLEANUP_CLOSE int fd = openat(dir, path, O_WRONLY | O_CLOEXEC | flags, 0600);

	return fd >= 0 && write(fd, &c, 1) == 1 ? 0 : -EIO;
}

static int start_forwarding(const char *name, int undo, struct err *e)
{
	CLEANUP_CLOSE int dir = lock_users(true);
	int before;

	if (dir < 0)
		return err_sys(e, -dir, USERS_DIR);
	before = read_char(AT_FDCWD, IP_FORWARD);
	if (before < 0)
		return err_sys(e, -before, IP_FORWARD);
	if (undo_add_text(undo, UNDO_NAT, name) < 0)
		return err_sys(e, ENOMEM, "the way back");
	/* the first one remembers what was set; whoever finds the file is not the first */
	if ((faccessat(dir, FORWARD_FILE, F_OK, 0) < 0 && write_char(dir, FORWARD_FILE, (char)before, O_CREAT) < 0) ||
	    write_char(dir, name, '1', O_CREAT) < 0)
		return err_sys(e, EIO, USERS_DIR);
	if (before != '1' && write_char(AT_FDCWD, IP_FORWARD, '1', 0) < 0)
		return err_sys(e, EIO, IP_FORWARD);
	return 0;
}

void nat_leave(const char *name)
{
	CLEANUP_CLOSE int dir = lock_users(false);
	int before;

	if (dir < 0 || strchr(name, '/'))
		return;
	unlinkat(dir, name, 0);
	before = read_char(dir, FORWARD_FILE);
	/* rmdir succeeds only without other users, once the remembered value is out of the way */
	unlinkat(dir, FORWARD_FILE, 0);
	if (rmdir(USERS_DIR) == 0) {
		if (before == '0')
			write_char(AT_FDCWD, IP_FORWARD, '0', 0);
	} else if (before >= 0) {
		write_char(dir, FORWARD_FILE, (char)before, O_CREAT);
	}
}

/* ---- the rules ---------------------------------------------------------------------------------- */

/* Adds a rule after its removal stands in the list: words are those of iptables, with the verb at place `at`. */
static int add_rule(char **words, size_t count, size_t at, enum undo_kind kind, int undo, struct err *e)
{
	char back[1024], *verb = words[at];
	size_t n = 0;

	words[at] = "-D";
	for (size_t i = 0; i < count; i++)
		n += (size_t)snprintf(back + n, sizeof(back) - n, "%s", words[i]) + 1;
	words[at] = verb;
	if (undo_add(undo, kind, back, n) < 0)
		return err_sys(e, ENOMEM, "the way back");
	return run(words, e);
}

static int iptables_rules(char *program, char *name, char *net, int undo, struct err *e)
{
	char *out[] = {program, "-w", "-t", "nat", "-A", "POSTROUTING", "-s", net, "!", "-o", name, "-j",
		       "MASQUERADE", NULL};
	char *from[] = {program, "-w", "-I", "FORWARD", "-i", name, "-j", "ACCEPT", NULL};
	char *to[] = {program, "-w", "-I", "FORWARD", "-o", name, "-m", "conntrack", "--ctstate",
		      "RELATED,ESTABLISHED", "-j", "ACCEPT", NULL};
	int r;

	if ((r = add_rule(out, ARRAY_SIZE(out) - 1, 4, UNDO_RUN, undo, e)) ||
	    (r = add_rule(from, ARRAY_SIZE(from) - 1, 2, UNDO_RUN, undo, e)))
		return r;
	return add_rule(to, ARRAY_SIZE(to) - 1, 2, UNDO_RUN, undo, e);
}

static int nft_rules(char *program, const char *name, const char *net, int undo, struct err *e)
{
	char table[40], text[512], back[256];
	char *add[] = {program, text, NULL};
	int n;

	snprintf(table, sizeof(table), "ip sbx_%s", name);
	n = snprintf(back, sizeof(back), "%s%cdelete table %s", program, 0, table);
	if (undo_add(undo, UNDO_RUN, back, (size_t)n + 1) < 0)
		return err_sys(e, ENOMEM, "the way back");
	snprintf(text, sizeof(text),
		 "add table %s; add chain %s out { type nat hook postrouting priority 100 ; }; "
		 "add rule %s out ip saddr %s oifname != \"%s\" masquerade", table, table, table, net, name);
	return run(add, e);
}

int nat_set_up(int netns, int undo, struct err *e)
{
	char program[64], name[IFNAMSIZ], net[32];
	CLEANUP_CLOSE int sock = -1, host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	bool nft = false;
	uint32_t subnet;
	int r;

	if (host < 0)
		return err_sys(e, errno, "/proc/self/ns/net");
	if (!find_program("iptables", program, sizeof(program))) {
		nft = find_program("nft", program, sizeof(program));
		if (!nft)
			return err_set(e, ENOENT, "--network=nat needs the program iptables or nft on this host");
	}
	sock = rtnl_open();
	if (sock < 0)
		return err_sys(e, -sock, "a netlink socket");
	snprintf(name, sizeof(name), "sbx%d", getpid());
	if ((r = choose_subnet(sock, &subnet, e)))
		return r;
	if (undo_add_text(undo, UNDO_LINK, name) < 0)
		return err_sys(e, ENOMEM, "the way back");
	if ((r = make_pair(sock, name, netns, e)) || (r = add_addr(sock, name, subnet + 1, e)) ||
	    (r = set_up(sock, name, e)) || (r = configure_inside(netns, host, subnet, e)) ||
	    (r = start_forwarding(name, undo, e)))
		return r;
	snprintf(net, sizeof(net), "%u.%u.%u.%u/30", subnet >> 24, subnet >> 16 & 255, subnet >> 8 & 255,
		 subnet & 255);
	return nft ? nft_rules(program, name, net, undo, e) : iptables_rules(program, name, net, undo, e);
}

int nat_hush(int undo, struct err *e)
{
	char program[64];
	char *words[] = {program, "-w", "-I", "INPUT", "!", "-i", "lo", "-m", "conntrack", "!", "--ctstate",
			 "ESTABLISHED,RELATED", "-j", "DROP", NULL};

	if (!find_program("iptables", program, sizeof(program)))
		return err_set(e, ENOENT, "there is no iptables on this host");
	return add_rule(words, ARRAY_SIZE(words) - 1, 2, UNDO_RUN_INSIDE, undo, e);
}
