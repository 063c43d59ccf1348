/* sock_diag: a program finds its own sockets, by number of inode, with their state. */
#include "nl.h"
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

static ino_t wanted;
static unsigned seen, state, queue;

static void inet(const struct nlmsghdr *h)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);

	if (m->idiag_inode != wanted)
		return;
	seen++;
	state = m->idiag_state;
	queue = m->idiag_wqueue;
}

static void unix_(const struct nlmsghdr *h)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);

	if (m->udiag_ino != wanted)
		return;
	seen++;
	state = m->udiag_state;
	printf("name: %s\n", attr(h, sizeof(*m), UNIX_DIAG_NAME) ? "yes" : "no");
}

static void look(int s, int fd, unsigned family, unsigned protocol)
{
	struct inet_diag_req_v2 r = {.sdiag_family = (uint8_t)family, .sdiag_protocol = (uint8_t)protocol, .idiag_states = ~0u};
	struct stat st;
	int ret;

	fstat(fd, &st);
	wanted = st.st_ino;
	seen = state = queue = 0;
	rq_begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &r, sizeof(r));
	ret = ask(s, inet);
	printf("%s, found %u, state %u", result(ret), seen, state);
	if (state == 10)
		printf(", backlog %u", queue);
	printf("\n");
}

int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "\0sbx-diag-test"};
	struct unix_diag_req ur = {.sdiag_family = AF_UNIX, .udiag_states = ~0u, .udiag_show = UDIAG_SHOW_NAME};
	socklen_t size = sizeof(a);
	int s = (int)MUST(socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG)), l = (int)MUST(socket(AF_INET, SOCK_STREAM, 0)),
	    c = (int)MUST(socket(AF_INET, SOCK_STREAM, 0)), u = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0)), d,
	    six = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0)), ux = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	struct stat st;

	MUST(bind(l, (struct sockaddr *)&a, sizeof(a)));
	MUST(listen(l, 7));
	getsockname(l, (struct sockaddr *)&a, &size);
	look(s, l, AF_INET, IPPROTO_TCP);
	MUST(connect(c, (struct sockaddr *)&a, sizeof(a)));
	d = (int)MUST(accept(l, NULL, NULL));
	look(s, c, AF_INET, IPPROTO_TCP);
	look(s, d, AF_INET, IPPROTO_TCP);
	look(s, l, AF_INET, IPPROTO_UDP);
	MUST(connect(u, (struct sockaddr *)&a, sizeof(a)));
	look(s, u, AF_INET, IPPROTO_UDP);
	MUST(bind(six, (struct sockaddr *)&a6, sizeof(a6)));
	MUST(listen(six, 3));
	look(s, six, AF_INET6, IPPROTO_TCP);
	look(s, six, AF_INET, IPPROTO_TCP);
	MUST(bind(ux, (struct sockaddr *)&un, sizeof(sa_family_t) + 14));
	MUST(listen(ux, 5));
	fstat(ux, &st);
	wanted = st.st_ino;
	seen = 0;
	rq_begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &ur, sizeof(ur));
	printf("unix: %s\n", result(ask(s, unix_)));
	printf("found %u, state %u\n", seen, state);
	return 0;
}
