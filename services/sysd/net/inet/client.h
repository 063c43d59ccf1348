/* sysd's end of the channel to netd: requests that wait, notices that do not, kicks, and news of sockets.
 *
 * netd may be compromised, or gone: what it sends is decoded with every check, words of the arena are read once, and
 * whatever it says concerns its sockets alone. When it dies, every socket is told (inet_sock_dead), and requests
 * wait a moment for its successor. */
#ifndef SYSD_NET_INET_CLIENT_H
#define SYSD_NET_INET_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include "common/ipc/msg_net.h"

struct inet_sock;
struct net_ns;

struct netd_reply {
	uint32_t sock, peer, flags;
	uint64_t value;
	struct net_name local, remote;
	struct net_place tx, rx;
	uint32_t data_size;
	uint8_t *data;           /* netd_reply_done frees */
};

/* At start; and on a strand when netd was started again. Both descriptors are kept. 0 or -errno. */
int netd_connect(int ring_fd, int pass_fd);
int netd_reconnect(int ring_fd, int pass_fd);

/* Waits until there is a netd (a moment after its death). -ENETDOWN, -EINTR. Before a message is filled in. */
int netd_ready(void);
/* How long a request waits for its reply. */
extern unsigned netd_patience_s;
/* Sends m as a request and sleeps until its reply. 0 or the error that netd answered; -ENETDOWN: there is no netd or it
 * does not answer, -ENOBUFS: it does not read, -EINTR: the caller is being killed. m is not used after the call begins to sleep. *ret may be NULL. */
int netd_call(struct net_msg *m, struct netd_reply *ret);
/* The same; hook runs with the reply as soon as it is there (on the executor's stack, before any later message is
 * looked at), or with NULL when there will be none or it is an error. It runs even if the caller was killed or gave up
 * meanwhile. */
int netd_call_hook(struct net_msg *m, void (*hook)(void *arg, const struct net_msg *reply), void *arg,
		   struct netd_reply *ret);
void netd_reply_done(struct netd_reply *r);
/* Sends without an answer; what finds no room and must not be lost is kept until there is some (a netd that never
 * makes any is given up), for the rest the answer is -EAGAIN. urgent: netd is woken now, else before the executor sleeps at the latest. */
int netd_tell(const struct net_msg *m, bool urgent);
/* Socket `index` has something in its rings or words. */
void netd_kick(uint32_t index, bool urgent);

/* A cleared message to fill in; valid until the caller sleeps or calls netd_*. */
struct net_msg *netd_msg(enum net_msg_kind kind);

/* netd's number of a namespace; makes its stack at the first use. Sleeps. */
int netd_ns(struct net_ns *ns, uint32_t *ret);
void netd_ns_gone(struct net_ns *ns);

/* The shared memory, NULL: none now. */
uint8_t *netd_arena(void);
struct net_header *netd_header(void);
/* Counts netd's lives. */
uint32_t netd_epoch(void);
/* Which socket stands for an index. */
void netd_attach(uint32_t index, struct inet_sock *k);
void netd_detach(uint32_t index);
struct inet_sock *netd_sock(uint32_t index);

/* There is a netd (again), which knows of no listeners yet: called on a strand. Weak: may be absent. */
void netlink_netd_up(void *arg) __attribute__((weak));
/* Messages for a netlink socket (net/netlink). Weak: may be absent. */
void netlink_input(uint32_t ns, uint32_t number, uint32_t group, const uint8_t *data, uint32_t size) __attribute__((weak));

#endif
