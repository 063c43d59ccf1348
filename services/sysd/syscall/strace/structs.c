/* Structures behind pointers, in strace's notation. Guest memory is read once into our own and may be
 * anything: what cannot be read is shown as its address. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/base/util.h"
#include "services/sysd/abi/epoll.h"
#include "services/sysd/abi/poll.h"
#include "services/sysd/abi/signal.h"
#include "services/sysd/abi/socket.h"
#include "services/sysd/abi/stat.h"
#include "services/sysd/abi/statfs.h"
#include "services/sysd/abi/sys.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/strace/strace.h"
#include "services/sysd/task/task.h"

#define STRINGS_SHOWN 16
#define POLLFDS_SHOWN 16

/* Reads the structure at v into var, or shows the address and leaves. */
#define GET_OR_RETURN(var)                                       \
	do {                                                     \
		if (!v || user_read(t, &(var), v, sizeof(var)) < 0) { \
			put_ptr(l, v);                           \
			return;                                  \
		}                                                \
	} while (0)

static void put_time(struct line *l, int64_t sec, int64_t nsec, const char *unit)
{
	put(l, "{tv_sec=%lld, tv_%s=%lld}", (long long)sec, unit, (long long)nsec);
}

void show_timespec(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	struct abi_timespec ts;

	GET_OR_RETURN(ts);
	put_time(l, ts.sec, ts.nsec, "nsec");
}

void show_timespec_out(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	show_timespec(l, t, v, ret);
}

static void put_pair(struct line *l, struct task *t, uint64_t v, const char *unit)
{
	struct abi_timespec ts[2];

	GET_OR_RETURN(ts);
	put(l, "[");
	put_time(l, ts[0].sec, ts[0].nsec, unit);
	put(l, ", ");
	put_time(l, ts[1].sec, ts[1].nsec, unit);
	put(l, "]");
}

void show_timespec_pair(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	put_pair(l, t, v, "nsec");
}

void show_timeval_pair(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	put_pair(l, t, v, "usec");
}

void show_itimerspec(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	struct abi_timespec ts[2];

	GET_OR_RETURN(ts);
	put(l, "{it_interval=");
	put_time(l, ts[0].sec, ts[0].nsec, "nsec");
	put(l, ", it_value=");
	put_time(l, ts[1].sec, ts[1].nsec, "nsec");
	put(l, "}");
}

/* ---- sockets ------------------------------------------------------------------------------------ */

static void put_unix(struct line *l, struct task *t, uint64_t v)
{
	struct abi_sockaddr_un un = {0};
	size_t i = sizeof(un);

	/* The length is another argument; names are short and end with a NUL as a rule. */
	while (i > 2 && user_read(t, &un, v, i) < 0)
		i -= 1;
	un.path[sizeof(un.path) - 1] = 0;
	put(l, "sun_path=");
	if (un.path[0])
		put_bytes(l, un.path, strlen(un.path), false);
	else if (un.path[1]) {
		put(l, "@");
		put_bytes(l, un.path + 1, strlen(un.path + 1), false);
	} else {
		put(l, "\"\"");
	}
}

void show_sockaddr(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	char text[INET6_ADDRSTRLEN] = "";
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	uint16_t family;

	GET_OR_RETURN(family);
	put(l, "{sa_family=");
	show_family(l, t, family, ret);
	if (family == AF_UNIX) {
		put(l, ", ");
		put_unix(l, t, v);
	} else if (family == AF_INET && user_read(t, &in, v, sizeof(in)) == 0) {
		inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
		put(l, ", sin_port=htons(%u), sin_addr=inet_addr(\"%s\")", ntohs(in.sin_port), text);
	} else if (family == AF_INET6 && user_read(t, &in6, v, sizeof(in6)) == 0) {
		inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
		put(l, ", sin6_port=htons(%u), sin6_addr=inet_pton(AF_INET6, \"%s\")", ntohs(in6.sin6_port), text);
	}
	put(l, "}");
}

void show_sockaddr_out(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	show_sockaddr(l, t, v, ret);
}

/* ---- events and signals ------------------------------------------------------------------------- */

static const struct name epoll_names[] = {
	{EPOLLIN, "EPOLLIN"}, {EPOLLPRI, "EPOLLPRI"}, {EPOLLOUT, "EPOLLOUT"}, {EPOLLERR, "EPOLLERR"},
	{EPOLLHUP, "EPOLLHUP"}, {EPOLLRDHUP, "EPOLLRDHUP"}, {EPOLLRDNORM, "EPOLLRDNORM"}, {EPOLLWRNORM, "EPOLLWRNORM"},
	{EPOLLEXCLUSIVE, "EPOLLEXCLUSIVE"}, {EPOLLWAKEUP, "EPOLLWAKEUP"}, {EPOLLONESHOT, "EPOLLONESHOT"},
	{EPOLLET, "EPOLLET"}};
static const struct name poll_names[] = {
	{0x001, "POLLIN"}, {0x002, "POLLPRI"}, {0x004, "POLLOUT"}, {0x008, "POLLERR"}, {0x010, "POLLHUP"},
	{0x020, "POLLNVAL"}, {0x040, "POLLRDNORM"}, {0x100, "POLLWRNORM"}, {0x2000, "POLLRDHUP"}};

void show_epoll_event(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	struct abi_epoll_event ev;

	GET_OR_RETURN(ev);
	put(l, "{events=");
	put_bits(l, epoll_names, ARRAY_SIZE(epoll_names), ev.events);
	put(l, ", data=%#llx}", (unsigned long long)ev.data);
}

void show_pollfds(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	uint64_t count = t->args[1];

	put(l, "[");
	for (uint64_t i = 0; i < count && i < POLLFDS_SHOWN; i++) {
		struct abi_pollfd p;

		if (user_read(t, &p, v + i * sizeof(p), sizeof(p)) < 0) {
			put(l, "%s%#llx", i ? ", " : "", (unsigned long long)v);
			break;
		}
		put(l, "%s{fd=%d, events=", i ? ", " : "", p.fd);
		put_bits(l, poll_names, ARRAY_SIZE(poll_names), (uint16_t)p.events);
		if (ret > 0 && p.revents) {
			put(l, ", revents=");
			put_bits(l, poll_names, ARRAY_SIZE(poll_names), (uint16_t)p.revents);
		}
		put(l, "}");
	}
	put(l, count > POLLFDS_SHOWN ? ", ...]" : "]");
}

static void put_sigset(struct line *l, uint64_t set)
{
	bool invert = __builtin_popcountll(set) > 32, any = false;

	put(l, invert ? "~[" : "[");
	for (int sig = 1; sig <= 64; sig++) {
		if (!(set >> (sig - 1) & 1) == !invert)
			continue;
		put(l, any ? " " : "");
		put_signal(l, sig);
		any = true;
	}
	put(l, "]");
}

void show_sigset(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	uint64_t set;

	GET_OR_RETURN(set);
	put_sigset(l, set);
}

void show_sigset_out(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	show_sigset(l, t, v, ret);
}

void show_sigaction(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	static const struct name flags[] = {{1, "SA_NOCLDSTOP"}, {2, "SA_NOCLDWAIT"}, {4, "SA_SIGINFO"},
		{0x04000000, "SA_RESTORER"}, {0x08000000, "SA_ONSTACK"}, {0x10000000, "SA_RESTART"},
		{0x40000000, "SA_NODEFER"}, {0x80000000, "SA_RESETHAND"}};
	struct {
		uint64_t handler, flags, restorer, mask;
	} act; /* struct kernel_sigaction, sigaction(2) */

	GET_OR_RETURN(act);
	put(l, "{sa_handler=");
	if (act.handler < 2)
		put(l, act.handler ? "SIG_IGN" : "SIG_DFL");
	else
		put(l, "%#llx", (unsigned long long)act.handler);
	put(l, ", sa_mask=");
	put_sigset(l, act.mask);
	put(l, ", sa_flags=");
	put_bits(l, flags, ARRAY_SIZE(flags), act.flags);
	put(l, "}");
}

void show_wait_status(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	int st;

	if (ret <= 0) {
		put_ptr(l, v);
		return;
	}
	GET_OR_RETURN(st);
	if (WIFEXITED(st)) {
		put(l, "[{WIFEXITED(s) && WEXITSTATUS(s) == %d}]", WEXITSTATUS(st));
	} else if (WIFSIGNALED(st)) {
		put(l, "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
		put_signal(l, WTERMSIG(st));
		put(l, WCOREDUMP(st) ? " && WCOREDUMP(s)}]" : "}]");
	} else if (WIFSTOPPED(st)) {
		put(l, "[{WIFSTOPPED(s) && WSTOPSIG(s) == ");
		put_signal(l, WSTOPSIG(st) & 0x7f);
		put(l, "}]");
	} else {
		put(l, "[{WIFCONTINUED(s)}]");
	}
}

/* ---- files -------------------------------------------------------------------------------------- */

static void put_mode(struct line *l, uint32_t mode)
{
	static const struct name types[] = {{S_IFREG, "S_IFREG"}, {S_IFDIR, "S_IFDIR"}, {S_IFLNK, "S_IFLNK"}, {S_IFCHR, "S_IFCHR"},
		{S_IFBLK, "S_IFBLK"}, {S_IFIFO, "S_IFIFO"}, {S_IFSOCK, "S_IFSOCK"}, {0, "0"}};

	put_enum(l, types, ARRAY_SIZE(types), mode & S_IFMT, "S_IF");
	put(l, "|%#o", mode & 07777);
}

void show_stat(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	struct abi_stat st;

	GET_OR_RETURN(st);
	put(l, "{st_mode=");
	put_mode(l, st.mode);
	put(l, ", st_size=%lld, ...}", (long long)st.size);
}

void show_statx(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	struct abi_statx st;

	GET_OR_RETURN(st);
	put(l, "{stx_mask=%#x, stx_mode=", st.mask);
	put_mode(l, st.mode);
	put(l, ", stx_size=%llu, ...}", (unsigned long long)st.size);
}

void show_statfs(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	struct abi_statfs st;

	GET_OR_RETURN(st);
	put(l, "{f_type=%#llx, f_bsize=%lld, f_blocks=%llu, f_bfree=%llu, ...}", (unsigned long long)st.type,
	    (long long)st.bsize, (unsigned long long)st.blocks, (unsigned long long)st.bfree);
}

void show_fd_pair(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	int fds[2];

	GET_OR_RETURN(fds);
	put(l, "[%d, %d]", fds[0], fds[1]);
}

void show_path(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	put_string(l, t, v);
}

/* ---- the rest ----------------------------------------------------------------------------------- */

void show_strings(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	uint64_t p = 0;

	put(l, "[");
	for (unsigned i = 0; i < STRINGS_SHOWN && user_read(t, &p, v + i * 8, sizeof(p)) == 0 && p; i++) {
		put(l, i ? ", " : "");
		put_string(l, t, p);
	}
	put(l, p ? ", ...]" : "]");
}

void show_int_out(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	int n;

	GET_OR_RETURN(n);
	put(l, "[%d]", n);
}

static void put_limit(struct line *l, const char *what, uint64_t v)
{
	if (v == UINT64_MAX)
		put(l, "%s=RLIM64_INFINITY", what);
	else
		put(l, v % 1024 || !v ? "%s=%llu" : "%s=%llu*1024", what, (unsigned long long)(v % 1024 || !v ? v : v / 1024));
}

void show_rlimit(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	uint64_t lim[2];

	GET_OR_RETURN(lim);
	put(l, "{");
	put_limit(l, "rlim_cur", lim[0]);
	put_limit(l, ", rlim_max", lim[1]);
	put(l, "}");
}

void show_rlimit_out(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	show_rlimit(l, t, v, ret);
}

void show_utsname(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	struct abi_utsname u;

	GET_OR_RETURN(u);
	put(l, "{sysname=\"%.64s\", nodename=\"%.64s\", release=\"%.64s\", ...}", u.sysname, u.nodename, u.release);
}

void show_sysinfo(struct line *l, struct task *t, uint64_t v, int64_t ret)
{
	struct abi_sysinfo s;

	GET_OR_RETURN(s);
	put(l, "{uptime=%lld, totalram=%llu, freeram=%llu, procs=%u, ...}", (long long)s.uptime,
	    (unsigned long long)s.totalram, (unsigned long long)s.freeram, s.procs);
}
