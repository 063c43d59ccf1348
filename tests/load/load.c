/* The programs of tests/suites/load, in one: a server that echoes, clients that hold many connections open or make many
 * short ones, and a sender of SYNs that nobody will ever complete. Linked statically, so that it runs on both sides.
 *
 *   load serve PORT                      echoes until its input ends; says "up" first
 *   load hold ADDR PORT COUNT            opens COUNT, all at once, echoes a byte on each while all are open
 *   load churn ADDR PORT COUNT AHEAD     COUNT times: connect, a byte there and back, close; AHEAD of them at once
 *   load steady ADDR PORT SECONDS        requests one after another, each on a connection of its own
 *   load flood DEV MAC ADDR PORT SECONDS SYNs of sources in 10.0.0.0/9, as fast as the device takes them
 *
 * Clients use as many processes as the limit of descriptors makes necessary. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 512
#define PATIENCE_MS 60000

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* How many descriptors this process may have beside the few it needs for itself. */
static unsigned raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		fail("getrlimit");
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		fail("setrlimit");
	return r.rlim_cur > 1u << 20 ? 1u << 20 : (unsigned)r.rlim_cur - 32;
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		fail(host);
	return a;
}

static void watch(int ep, int op, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.fd = fd};

	if (epoll_ctl(ep, op, fd, &e) < 0)
		fail("epoll_ctl");
}

/* ---- the server ---- */

static void echo(int fd, int *open)
{
	char buf[512];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n > 0) {
		send(fd, buf, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	} else if (n == 0 || errno != EAGAIN) {
		close(fd);
		(*open)--;
	}
}

static int serve(const char *port)
{
	struct sockaddr_in a = address("0.0.0.0", port);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), ep = epoll_create1(0), open = 0, most = 0, one = 1;
	long served = 0;
	struct epoll_event e[EVENTS];

	raise_limit();
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(l, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(l, 4096) < 0)
		fail("listen");
	watch(ep, EPOLL_CTL_ADD, l, EPOLLIN);
	watch(ep, EPOLL_CTL_ADD, 0, EPOLLIN);
	puts("up");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(ep, e, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			char c;
			int fd;

			if (e[i].data.fd == 0) {
				if (read(0, &c, 1) == 1) { /* a line asks for the figures */
					printf("open %d most %d served %ld\n", open, most, served);
					fflush(stdout);
					continue;
				}
				return 0;
			}
			if (e[i].data.fd != l) {
				echo(e[i].data.fd, &open);
				continue;
			}
			while ((fd = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
				watch(ep, EPOLL_CTL_ADD, fd, EPOLLIN);
				served++;
				most = ++open > most ? open : most;
			}
			if (errno != EAGAIN && errno != ECONNABORTED)
				fail("accept");
		}
	}
}

/* ---- clients ---- */

static int begin(const struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		fail("socket");
	if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 && errno != EINPROGRESS)
		fail("connect");
	return fd;
}

static int connected(int fd)
{
	int err = 0;
	socklen_t size = sizeof(err);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
	errno = err;
	return err ? -1 : 0;
}

/* One process's share: opens, says so, waits for the word that all are open, echoes, waits again, closes. */
static void hold_part(const struct sockaddr_in *a, unsigned count, int say, int hear)
{
	int ep = epoll_create1(0), *fds = calloc(count, sizeof(*fds));
	struct epoll_event e[EVENTS];
	unsigned started = 0, open = 0, done = 0;
	char c = 0;

	while (open < count) {
		int n;

		/* not more under way than a listener keeps */
		for (; started < count && started - open < 256; started++) {
			fds[started] = begin(a);
			watch(ep, EPOLL_CTL_ADD, fds[started], EPOLLOUT);
		}
		n = epoll_wait(ep, e, EVENTS, PATIENCE_MS);
		if (n <= 0)
			fail("waiting for connections");
		for (int i = 0; i < n; i++, open++) {
			if (connected(e[i].data.fd) < 0)
				fail("connect");
			watch(ep, EPOLL_CTL_MOD, e[i].data.fd, EPOLLIN);
		}
	}
	if (write(say, &c, 1) != 1 || read(hear, &c, 1) != 1)
		exit(1);
	for (unsigned i = 0; i < count; i++) {
		c = (char)i;
		if (send(fds[i], &c, 1, MSG_NOSIGNAL) != 1)
			fail("send");
	}
	while (done < count) {
		int n = epoll_wait(ep, e, EVENTS, PATIENCE_MS);

		if (n <= 0)
			fail("waiting for echoes");
		for (int i = 0; i < n; i++, done++) {
			if (recv(e[i].data.fd, &c, 1, 0) != 1)
				fail("echo");
		}
	}
	if (write(say, &c, 1) != 1 || read(hear, &c, 1) < 0)
		exit(1);
	exit(0);
}

static int hold(char **argv)
{
	struct sockaddr_in a = address(argv[0], argv[1]);
	unsigned count = (unsigned)atoi(argv[2]), each = raise_limit(), parts = 0;
	int say[2], go[2], status, bad = 0;
	double began = now(), opened;
	char c, line[8];

	if (pipe(say) || pipe(go))
		fail("pipe");
	for (unsigned left = count; left; parts++) {
		unsigned n = left < each ? left : each;

		left -= n;
		if (!fork()) {
			close(go[1]);
			hold_part(&a, n, say[1], go[0]);
		}
	}
	close(say[1]);
	close(go[0]);
	for (unsigned i = 0; i < parts; i++) {
		if (read(say[0], &c, 1) != 1)
			fail("a part ended early");
	}
	opened = now();
	for (unsigned i = 0; i < parts; i++) {
		if (write(go[1], "x", 1) != 1)
			fail("pipe");
	}
	for (unsigned i = 0; i < parts; i++) {
		if (read(say[0], &c, 1) != 1)
			fail("a part ended early");
	}
	printf("held %u by %u processes: opened in %.2f s, echoed in %.2f s\n", count, parts, opened - began, now() - opened);
	fflush(stdout);
	if (read(0, line, sizeof(line)) < 0) /* all stay open until our input says so */
		fail("read");
	close(go[1]);
	while (wait(&status) > 0)
		bad |= status;
	return bad != 0;
}

static void churn_part(const struct sockaddr_in *a, long count)
{
	for (long i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		char c = (char)i;

		if (fd < 0 || connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0)
			fail("connect");
		if (send(fd, &c, 1, MSG_NOSIGNAL) != 1 || recv(fd, &c, 1, 0) != 1 || c != (char)i)
			fail("echo");
		close(fd);
	}
	exit(0);
}

static int churn(char **argv)
{
	struct sockaddr_in a = address(argv[0], argv[1]);
	long count = atol(argv[2]), ahead = atol(argv[3]);
	int status, bad = 0;
	double began = now();

	for (long i = 0; i < ahead; i++) {
		if (!fork())
			churn_part(&a, count / ahead + (i < count % ahead));
	}
	while (wait(&status) > 0)
		bad |= status;
	printf("churned %ld in %.2f s\n", count, now() - began);
	return bad != 0;
}

static int steady(char **argv)
{
	struct sockaddr_in a = address(argv[0], argv[1]);
	double end = now() + atof(argv[2]), worst = 0;
	long done = 0, late = 0;

	while (now() < end) {
		struct timeval tv = {.tv_sec = 10};
		double began = now(), took;
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		char c = 'x';

		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
			fail("connect");
		if (send(fd, &c, 1, MSG_NOSIGNAL) != 1 || recv(fd, &c, 1, 0) != 1)
			fail("echo");
		close(fd);
		took = now() - began;
		worst = took > worst ? took : worst;
		late += took > 0.9; /* a SYN, or its answer, was lost */
		done++;
	}
	printf("steady %ld late %ld worst %.3f\n", done, late, worst);
	return 0;
}

/* ---- the flood ---- */

static uint32_t sum(const void *p, size_t size, uint32_t s)
{
	const uint8_t *b = p;

	for (size_t i = 0; i + 1 < size; i += 2)
		s += (uint32_t)b[i] << 8 | b[i + 1];
	return s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons((uint16_t)~s);
}

static uint64_t mix(uint64_t *x)
{
	*x += 0x9e3779b97f4a7c15ull;
	uint64_t z = (*x ^ *x >> 30) * 0xbf58476d1ce4e5b9ull;

	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static int flood(char **argv)
{
	struct __attribute__((packed)) {
		struct ether_header eth;
		struct iphdr ip;
		struct tcphdr tcp;
		uint8_t mss[4];
	} p = {.eth = {.ether_type = htons(ETHERTYPE_IP), .ether_shost = {2, 0, 0, 0, 0, 9}},
	       .ip = {.version = 4, .ihl = 5, .tot_len = htons(44), .ttl = 64, .protocol = IPPROTO_TCP},
	       .tcp = {.doff = 6, .syn = 1, .window = htons(65535)},
	       .mss = {2, 4, 0x05, 0xb4}};
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[0])};
	struct sockaddr_in a = address(argv[2], argv[3]);
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	uint64_t seed = (uint64_t)getpid() << 32 ^ (uint64_t)time(NULL);
	double end = now() + atof(argv[4]);
	long sent = 0;

	if (fd < 0 || !ll.sll_ifindex || sscanf(argv[1], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &p.eth.ether_dhost[0],
		&p.eth.ether_dhost[1], &p.eth.ether_dhost[2], &p.eth.ether_dhost[3], &p.eth.ether_dhost[4], &p.eth.ether_dhost[5]) != 6)
		fail("flood");
	p.ip.daddr = a.sin_addr.s_addr;
	p.tcp.dest = a.sin_port;
	while (sent % 64 || now() < end) {
		uint64_t r = mix(&seed);

		p.ip.saddr = htonl(10u << 24 | (uint32_t)(r & 0x3fffff) | 1u << 16);
		p.tcp.source = htons((uint16_t)(1024 + (r >> 24 & 0x7fff)));
		p.tcp.seq = (uint32_t)(r >> 32);
		p.ip.check = 0;
		p.ip.check = fold(sum(&p.ip, sizeof(p.ip), 0));
		p.tcp.check = 0;
		p.tcp.check = fold(sum(&p.ip.saddr, 8, sum(&p.tcp, 24, IPPROTO_TCP + 24)));
		if (sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&ll, sizeof(ll)) == (ssize_t)sizeof(p))
			sent++;
		else if (errno != ENOBUFS && errno != EAGAIN)
			fail("sendto");
	}
	printf("flooded %ld\n", sent);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		int (*run)(char **argv);
	} modes[] = {{"hold", 3, hold}, {"churn", 4, churn}, {"steady", 3, steady}, {"flood", 5, flood}};

	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	for (unsigned i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (argc == modes[i].args + 2 && !strcmp(argv[1], modes[i].name))
			return modes[i].run(argv + 2);
	}
	fprintf(stderr, "usage: load serve|hold|churn|steady|flood ARGS\n");
	return 2;
}
