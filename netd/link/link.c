/* The set of links: what the launcher sends first, and what it may send later. */
#include "netd/link/link.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "common/ipc/fdpass.h"
#include "common/ipc/msg_link.h"
#include "common/log/log.h"
#include "netd/link/private.h"

#define CONFIG_MAX (4u << 20)

/* Descriptors that came before the configuration that speaks of them. */
struct waiting {
	int link[LINK_LINKS_MAX], line[LINK_RESOLVER_LINES];
	int pcap, resolver;
};

static void waiting_init(struct waiting *w)
{
	for (size_t i = 0; i < LINK_LINKS_MAX; i++)
		w->link[i] = -1;
	for (size_t i = 0; i < LINK_RESOLVER_LINES; i++)
		w->line[i] = -1;
	w->pcap = w->resolver = -1;
}

static void waiting_done(struct waiting *w)
{
	for (size_t i = 0; i < LINK_LINKS_MAX; i++)
		close_fd(&w->link[i]);
	for (size_t i = 0; i < LINK_RESOLVER_LINES; i++)
		close_fd(&w->line[i]);
	close_fd(&w->pcap);
	close_fd(&w->resolver);
}

static void waiting_put(struct waiting *w, uint64_t ticket, int fd)
{
	int *at = NULL;

	if (ticket >= LINK_TICKET_LINK(0) && ticket < LINK_TICKET_LINK(LINK_LINKS_MAX))
		at = &w->link[ticket - LINK_TICKET_LINK(0)];
	else if (ticket >= LINK_TICKET_RESOLVER_TCP(0) && ticket < LINK_TICKET_RESOLVER_TCP(LINK_RESOLVER_LINES))
		at = &w->line[ticket - LINK_TICKET_RESOLVER_TCP(0)];
	else if (ticket == LINK_TICKET_PCAP)
		at = &w->pcap;
	else if (ticket == LINK_TICKET_RESOLVER)
		at = &w->resolver;
	if (!at) {
		close(fd);
		return;
	}
	close_fd(at);
	*at = fd;
}

static int read_config(int fd, struct link_config *ret)
{
	struct stat st;
	void *map;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || st.st_size > CONFIG_MAX)
		return -EPROTO;
	/* sealed: nobody can cut it short under us */
	r = fcntl(fd, F_GET_SEALS);
	if (r < 0 || (r & (F_SEAL_SHRINK | F_SEAL_WRITE)) != (F_SEAL_SHRINK | F_SEAL_WRITE))
		return -EPROTO;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	r = link_config_decode(map, (size_t)st.st_size, ret);
	munmap(map, (size_t)st.st_size);
	return r;
}

static int take_links(struct link_set *set, const struct link_config *c, struct waiting *w)
{
	int r = 0;

	if (w->pcap >= 0)
		r = pcap_new(set, STEAL_FD(w->pcap));
	for (size_t i = 0; r == 0 && i < c->link_count; i++) {
		if (c->links[i].kind == LINK_HOST)
			r = shadow_link_new(set, &c->links[i]);
		else if (w->link[i] < 0)
			r = -EBADF;
		else
			r = packet_link_new(set, &c->links[i], STEAL_FD(w->link[i]));
	}
	return r;
}

static int take_resolver(struct link_set *set, const struct link_config *c, struct waiting *w)
{
	int r = 0;

	if (!c->resolver.family)
		return 0;
	if (w->resolver >= 0)
		r = resolver_new(set, &c->resolver, STEAL_FD(w->resolver));
	for (size_t i = 0; r == 0 && i < LINK_RESOLVER_LINES; i++)
		if (w->line[i] < 0)
			return 0;
	return r < 0 ? r : resolver_tcp_new(set, &c->resolver, w->line);
}

int link_set_open(struct link_set *set, struct netstack *st, int pass_fd)
{
	struct link_config c = {0};
	struct waiting w;
	int r = 0;

	*set = (struct link_set){.st = st, .pass_fd = pass_fd};
	list_init(&set->sources);
	waiting_init(&w);
	for (;;) {
		uint64_t ticket;
		CLEANUP_CLOSE int fd = fdpass_recv(pass_fd, 0, &ticket);

		if (fd < 0) {
			r = fd;
			break;
		}
		if (ticket == LINK_TICKET_CONFIG) {
			r = read_config(fd, &c);
			break;
		}
		waiting_put(&w, ticket, STEAL_FD(fd));
	}
	if (r == 0)
		r = take_links(set, &c, &w);
	if (r == 0)
		r = link_apply(st, &c);
	if (r == 0)
		r = take_resolver(set, &c, &w);
	waiting_done(&w);
	link_config_done(&c);
	return r;
}

void link_set_flush(struct link_set *set)
{
	struct link_source *s;

	LIST_FOR_EACH (s, &set->sources, node)
		if (s->flush)
			s->flush(s);
	if (set->pcap)
		pcap_flush(set->pcap);
}

void link_set_close(struct link_set *set)
{
	while (!list_empty(&set->sources)) {
		struct link_source *s = LIST_FIRST(&set->sources, struct link_source, node);

		list_del(&s->node);
		s->free(s);
	}
	pcap_free(set->pcap);
	set->pcap = NULL;
}
