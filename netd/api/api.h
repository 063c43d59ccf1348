/* The server of sysd's requests: sockets for it, and what it wants to know. One thread; nothing waits.
 *
 * A round of netd's loop: api_receive (requests and kicks), links, netstack_run, api_publish (what changed goes to sysd:
 * connections, replies to connects, readiness, in this order, then the bell). */
#ifndef NETD_API_API_H
#define NETD_API_API_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "common/chan/netshm.h"
#include "common/chan/ring.h"
#include "common/ipc/msg_net.h"
#include "netd/api/arena.h"
#include "netd/core/stack.h"
#include "netd/netlink/netlink.h"

struct host_net;
struct nsock;
struct nsock_meta;
struct nsock_name;

/* One network namespace. */
struct api_space {
	struct list node;
	struct api *api;
	uint32_t id;            /* sysd's number */
	struct netstack *st;
	uint32_t generation;    /* of its routes, as last told */
	struct list sockets;    /* struct api_sock.in_space */
	struct netlink_monitor monitor;
	uint64_t groups;        /* of NETLINK_ROUTE that somebody listens to */
};

struct api_sock {
	struct api *api;
	struct api_space *space;
	struct list in_space;
	struct nsock *s;        /* NULL after done */
	uint32_t index;
	struct net_ctl *ctl;
	struct bytering tx, rx;
	struct net_place tx_place, tx_grant, rx_place, rx_old; /* grant: not in use by sysd yet */
	struct list dirty;      /* its readiness has to be told */
	struct list waiting;    /* struct api.connecting or .children */
	struct list busy;       /* has more datagrams to send than one round takes */
	uint32_t events;        /* bits that rose since it was told */
	uint32_t connect_req, close_req;
	uint32_t listener;      /* of a child: whose */
	uint32_t pair;          /* NET_SOCK_NONE: none */
	uint32_t urgent_sent;
	uint64_t urgent_pos;
	bool stream, told, closed, urgent_told, open_told;
	bool fresh;             /* made by the request whose answer is due */
};

struct api_out {
	struct list node;
	uint32_t size;
	uint8_t data[];
};

struct api {
	struct ring ring;
	int pass_fd, wake_fd;   /* a byte comes on wake_fd when netd sleeps and is needed */
	struct arena arena;
	struct net_header *hdr;
	struct net_event_end out, in;
	struct api_sock **socks;
	struct list spaces, dirty, connecting, children, busy, outbox;
	unsigned outbox_count;
	bool news, broken;
	uint64_t tidy_ms, tidy_last_ms; /* when api_tidy has something to do; 0: never */
	unsigned tidied;        /* regions, since the allocator's turn */
	struct netstack_env env;
	struct host_net *host;  /* --network=host: where namespace 1 has its sockets; NULL: in its own stack */
	struct net_msg msg;     /* decoded last */
	uint8_t buf[NET_MSG_MAX], out_buf[NET_MSG_MAX];
};

/* Opens the ring, makes the arena, and tells sysd of it. `first` becomes namespace 1. 0 or -errno. */
int api_init(struct api *a, int ring_fd, int pass_fd, const struct netstack_env *env, struct netstack *first);
void api_done(struct api *a); /* frees the stacks too, the first one included */
/* Handles what sysd has sent; true when there was something. */
bool api_receive(struct api *a);
/* Tells sysd what changed. */
void api_publish(struct api *a);
/* Announces that netd is about to sleep; false when there is something to do. */
bool api_before_sleep(struct api *a);
void api_after_sleep(struct api *a);
/* Gives memory back that many connections had and nobody needs now. Returns the milliseconds until it wants to be called
 * again, -1: not before something happens. */
int64_t api_tidy(struct api *a);

/* ---- among the parts ---------------------------------------------------------------------------- */

/* The namespace with its stack and all that is in it. */
void api_space_free(struct api_space *sp);
struct api_space *api_space_find(struct api *a, uint32_t id);
void api_send(struct api *a, const struct net_msg *m);
void api_reply(struct api *a, uint32_t req, int error);
void api_reply_data(struct api *a, uint32_t req, int error, const void *data, uint32_t size, uint64_t value);

void net_name_put(struct net_name *to, const struct nsock_name *from);
/* -EINVAL: no address of the Internet families. Mapped IPv4 addresses become IPv4 ones. */
int net_name_get(const struct net_name *from, struct nsock_name *to);

/* sock.c */
/* A socket of the kind that the message names, or -errno. */
int api_sock_new(struct api_space *sp, const struct net_msg *m, struct api_sock **ret);
void api_sock_close(struct api_sock *k, bool reset);
void api_sock_accepted(struct api_sock *k, uint64_t inode);
/* The stack is gone, and with it what the socket still waited for. */
void api_sock_forget(struct api_sock *k);
void api_sock_dirty(struct api_sock *k, uint32_t events);
void api_sock_publish(struct api_sock *k);
void api_sock_kick(struct api_sock *k);
void api_sock_place(struct api_sock *k, struct net_msg *m); /* fills tx and rx of a reply */
void api_sock_buffers(struct api_sock *k); /* SO_RCVBUF or SO_SNDBUF changed */
void api_child_tell(struct api_sock *k);

/* dgram.c */
bool api_dgram_deliver(struct nsock *s, const struct nsock_meta *meta, const struct iovec *iov, unsigned count);
/* Sends what lies in the ring; false when there is more than one turn takes. */
bool api_dgram_send(struct api_sock *k);

/* opt.c */
int api_setopt(struct api_sock *k, int level, int name, const uint8_t *val, uint32_t size);
int api_getopt(struct api_sock *k, int level, int name, uint8_t *val, uint32_t *size);

/* request.c */
void api_request(struct api *a, const struct net_msg *m);
void api_connect_done(struct api_sock *k);

/* config.c: ioctl, netlink, proc, sysctl. */
/* Begins and ends telling netlink groups. */
void api_space_start(struct api_space *sp);
void api_space_stop(struct api_space *sp);
void api_config_request(struct api *a, struct api_space *sp, const struct net_msg *m);

#endif
