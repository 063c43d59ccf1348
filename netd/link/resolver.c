/* The relay to a name server of the host. Docker's is at 127.0.0.11 in every container: rules of the container's
 * namespace lead packets to that address to a socket of the engine. A sandbox's loopback is this stack's, where there
 * are no such rules; so a socket of the stack is bound to the address, and what it is asked goes out over a socket that the
 * launcher made in the namespace, where the rules apply.
 *
 * All programs of the sandbox share that one socket: each question gets a number of its own, which cannot be guessed, and
 * its asker's number back with the answer. Answers that nobody waits for are dropped. resolver_tcp.c has those that ask
 * over TCP. */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "common/ipc/msg_link.h"
#include "common/log/log.h"
#include "netd/core/netif.h"
#include "netd/core/stack.h"
#include "netd/link/private.h"
#include "netd/sock/sock.h"

#define PENDING_MAX 512
#define PENDING_MS 15000
#define MESSAGE_MAX 65535u
#define HEADER_SIZE 12u

struct question {
	struct nsock_name from;
	uint16_t asked_id, sent_id;
	uint64_t until_ms;       /* 0: free */
};

struct resolver {
	struct link_source src;
	struct netstack *st;
	struct nsock *sock;
	int fd;
	unsigned next;           /* the place that is used next: the oldest gives way */
	struct question pending[PENDING_MAX];
	uint8_t buf[MESSAGE_MAX];
};

static struct question *find(struct resolver *r, uint16_t id)
{
	uint64_t now = netstack_now_ms(r->st);

	for (unsigned i = 0; i < PENDING_MAX; i++)
		if (r->pending[i].until_ms > now && r->pending[i].sent_id == id)
			return &r->pending[i];
	return NULL;
}

static bool on_query(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count)
{
	struct resolver *r = s->owner;
	struct question *q;
	uint16_t id;
	size_t size = 0;

	if (meta->error)
		return true;
	for (unsigned i = 0; i < count; i++) {
		if (iov[i].iov_len > sizeof(r->buf) - size)
			return true;
		memcpy(r->buf + size, iov[i].iov_base, iov[i].iov_len);
		size += iov[i].iov_len;
	}
	if (size < HEADER_SIZE)
		return true;
	q = &r->pending[r->next++ % PENDING_MAX];
	do {
		netstack_random(r->st, &id, sizeof(id));
	} while (find(r, id));
	*q = (struct question){.from = meta->from, .sent_id = id, .until_ms = netstack_now_ms(r->st) + PENDING_MS};
	memcpy(&q->asked_id, r->buf, sizeof(q->asked_id));
	memcpy(r->buf, &id, sizeof(id));
	/* what cannot be sent now is lost, as on any network: the asker asks again */
	if (send(r->fd, r->buf, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		q->until_ms = 0;
	return true;
}

static unsigned answers(struct link_source *src, unsigned budget)
{
	struct resolver *r = CONTAINER_OF(src, struct resolver, src);
	unsigned done = 0;

	for (; done < budget; done++) {
		ssize_t n = recv(r->fd, r->buf, sizeof(r->buf), MSG_DONTWAIT);
		struct nsock_meta meta = {.ifindex = 0};
		struct iovec iov = {r->buf, (size_t)MAX(n, 0)};
		struct question *q;
		uint16_t id;

		if (n < 0 && errno == ECONNREFUSED)
			continue; /* of a question: nobody listens there */
		if (n < 0)
			break;
		if ((size_t)n < HEADER_SIZE)
			continue;
		memcpy(&id, r->buf, sizeof(id));
		q = find(r, id);
		if (!q)
			continue;
		memcpy(r->buf, &q->asked_id, sizeof(q->asked_id));
		meta.to = q->from;
		q->until_ms = 0;
		r->sock->ops->send(r->sock, &meta, &iov, 1);
	}
	return done;
}

static void resolver_free(struct link_source *src)
{
	struct resolver *r = CONTAINER_OF(src, struct resolver, src);

	close_fd(&r->fd);
	free(r);
}

static const struct nsock_up resolver_up = {.deliver = on_query};

int resolver_new(struct link_set *set, const struct link_ip *at, int fd)
{
	struct resolver *r = calloc(1, sizeof(*r));
	struct nsock_name name = {.addr = link_ip_addr(at), .port = htons(53)};
	int ret = -ENOMEM;

	if (r) {
		r->st = set->st;
		r->fd = fd;
		r->src = (struct link_source){.fd = fd, .rx = answers, .free = resolver_free};
		ret = udp_create(set->st, AF_INET, false, &resolver_up, r, &r->sock);
	}
	if (ret == 0) {
		r->sock->opt.aside = true;
		ret = r->sock->ops->bind(r->sock, &name);
	}
	if (ret < 0) {
		log_warn("no relay to the host's name server: %s", strerror(-ret));
		if (r && r->sock)
			nsock_close(r->sock, true);
		close(fd);
		free(r);
		return ret == -ENOMEM ? ret : 0;
	}
	list_add_tail(&set->sources, &r->src.node);
	return 0;
}
