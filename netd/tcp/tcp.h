/* TCP as the rest of netd sees it, beside the socket face (sock/sock.h, tcp_create). */
#ifndef NETD_TCP_TCP_H
#define NETD_TCP_TCP_H

#include <stdbool.h>
#include <stdint.h>
#include "netd/sock/sock.h"

struct netstack;
struct tcp_state;

/* For netstack_new, after the IP layer is there, and netstack_free. -ENOMEM. At tcp_exit every connection is
 * dropped without a word on the wire; owners that did not close their sockets get no upcall. */
int tcp_init(struct netstack *st, struct tcp_state **ret);
void tcp_exit(struct tcp_state *t);

/* One line of /proc/net/tcp or of sock_diag. States as include/net/tcp_states.h numbers them (TCP_ESTABLISHED 1 ...
 * TCP_CLOSING 11); 12 is a request of the SYN queue (shown as 3 in /proc). */
#define TCP_ROW_NEW_SYN_RECV 12
struct tcp_row {
	struct nsock *s;         /* NULL: an entry of the SYN queue or of TIME_WAIT */
	struct nsock *listener;  /* of a SYN queue's entry */
	int family, state;
	struct nsock_name local, peer;
	uint32_t rx_queue, tx_queue; /* of a listener: accept queue, its limit */
	uint8_t timer;           /* 0 none, 1 retransmission, 2 keep-alive, 3 TIME_WAIT, 4 zero-window probe */
	uint64_t timer_ms;       /* from now */
	uint32_t retransmits, probes;
	uint32_t uid;
	uint64_t inode;
	/* the tail of a line of /proc/net/tcp, of full sockets */
	uint32_t rto_ms, ato_ms, snd_cwnd;
	bool quickack;
	int ssthresh;            /* -1: none yet */
	int refs;
};
/* Calls fn for each socket, request and TIME_WAIT entry until it returns false; fn must not open or close any. */
void tcp_dump(struct netstack *st, bool (*fn)(void *arg, const struct tcp_row *row), void *arg);

/* Urgent data (MSG_OOB). The byte lies in the rx ring at its place in the stream; who reads the stream without
 * SO_OOBINLINE skips it. Returns false when no urgent mark was received yet; else *ret_pos is the ring position of
 * the byte (SIOCATMARK: is the read position equal to it?), *ret_here whether the byte has arrived (else MSG_OOB says
 * EAGAIN). */
bool tcp_urgent(const struct nsock *s, uint64_t *ret_pos, bool *ret_here);

/* Counters for /proc/net/sockstat. */
struct tcp_counts {
	uint32_t in_use, orphans, time_wait, allocated, requests;
};
void tcp_count(struct netstack *st, struct tcp_counts *ret);

/* A connection is taken out of the world (SOCK_DESTROY, ss -K): RST to the peer, ECONNABORTED to the owner. */
int tcp_kill(struct nsock *s);

#endif
