/* The memory that sysd and netd share: one arena (a memfd made by netd, sealed in size).
 *
 *	struct net_header | struct net_ctl [NET_SOCKS_MAX] | regions of byte rings and datagram rings
 *
 * A socket is known by the index of its control block. netd gives indices and regions out, and takes them
 * back; sysd maps all of it and keeps to what it was given. Neither side trusts the other: each word has one
 * writer (a line of its own), is loaded once, and checked before it is used. What a lying peer can spoil is the data of
 * sockets, never memory outside the arena. */
#ifndef SBX_CHAN_NETSHM_H
#define SBX_CHAN_NETSHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/chan/bytering.h"

#define NET_SOCKS_MAX 65536u
#define NET_ARENA_SIZE (8ull << 30)  /* sparse: pages count when they are touched */

/* What lies in one socket's block. */
struct net_ctl {
	/* netd's */
	_Alignas(64) uint32_t ready;  /* NET_READY_* */
	uint32_t err;                 /* the last error (positive), ... */
	uint32_t err_count;           /* ...counted: a new one came */
	uint32_t dropped;             /* datagrams for which there was no room */
	uint32_t grant_count;         /* regions given for tx beyond the first, ... */
	uint32_t urgent_count;        /* urgent bytes announced, ... */
	uint64_t grant_off, grant_size; /* ...the last of them */
	uint64_t urgent_pos;          /* ...the last: position in rx of the byte behind it */
	/* sysd's */
	_Alignas(64) uint32_t want;   /* log2 of the region that it would like for tx; 0: content */
	uint32_t more;                /* MSG_MORE: do not push a partial segment */
	uint32_t urgent;              /* urgent bytes sent, counted */
	uint32_t wants_out;           /* somebody waits for room in tx */
	/* both: set by who announces, cleared by who looks */
	_Alignas(64) uint32_t event_pending; /* in the ring to sysd */
	_Alignas(64) uint32_t kick_pending;  /* in the ring to netd */
	struct bytering_shm tx, rx;   /* from sysd, to sysd */
};
_Static_assert(sizeof(struct net_ctl) == 512, "a control block is eight lines");

/* Readiness as netd sees it: the values of poll(2). */
#define NET_READY_IN 0x001u
#define NET_READY_PRI 0x002u
#define NET_READY_OUT 0x004u
#define NET_READY_ERR 0x008u
#define NET_READY_HUP 0x010u
#define NET_READY_RDHUP 0x2000u

/* Socket numbers on their way to one side. Each is in it at most once (the pending word), so it never fills up
 * unless the peer lies. */
struct net_events {
	_Alignas(64) uint32_t tail; /* the producer's */
	_Alignas(64) uint32_t head; /* the consumer's */
	_Alignas(64) uint32_t slot[NET_SOCKS_MAX];
};

struct net_header {
	_Alignas(64) uint32_t bell;        /* netd's: counted up when there is news for sysd (a futex) */
	uint32_t generation;               /* netd's: what was routable may be so no longer */
	uint32_t netd_sleeps;              /* netd's: a byte on a socket has to wake it; sysd takes it back with that */
	_Alignas(64) uint32_t sysd_sleeps; /* sysd's: the bell has to wake it; netd takes it back with that */
	struct net_events to_sysd, to_netd;
};

static inline struct net_header *net_header(void *arena)
{
	return arena;
}
#define NET_CTL_OFF ((sizeof(struct net_header) + 4095) & ~4095ull)
#define NET_REGIONS_OFF (NET_CTL_OFF + NET_SOCKS_MAX * sizeof(struct net_ctl))
static inline struct net_ctl *net_ctl(void *arena, uint32_t index)
{
	return (struct net_ctl *)((uint8_t *)arena + NET_CTL_OFF) + index;
}

/* One end of an event ring. */
struct net_event_end {
	struct net_events *ring;
	uint32_t pos; /* own position */
};
/* Announces socket `index` unless it is announced already. False when the peer lies. */
bool net_event_put(struct net_event_end *e, uint32_t *pending, uint32_t index);
/* The next socket, or -EAGAIN. The caller checks what the index stands for, and clears its pending word by
 * net_event_clear before it looks at the socket. */
int64_t net_event_get(struct net_event_end *e);
bool net_event_any(const struct net_event_end *e);
static inline void net_event_clear(uint32_t *pending)
{
	__atomic_store_n(pending, 0, __ATOMIC_SEQ_CST);
}

/* A name of either family; addresses and ports in network order. family 0: none. */
struct net_name {
	uint16_t family, port;
	uint32_t scope, flowinfo;
	uint8_t addr[16];
};

/* A datagram in a ring of bytes: this header, the payload, zeros up to a multiple of 8. */
struct net_dgram {
	uint32_t size;        /* of the payload */
	uint32_t orig_size;   /* before a cut (packet sockets) */
	uint64_t rx_ns;       /* CLOCK_REALTIME */
	struct net_name from, to;
	int32_t ifindex;
	uint32_t flow_label;
	uint16_t flags;       /* NSOCK_META_* */
	uint16_t gso_size;
	uint16_t protocol, hatype;
	uint8_t ttl, tos, pkttype, halen;
	uint8_t hwaddr[8];
	uint32_t pad;
};
_Static_assert(sizeof(struct net_dgram) % 8 == 0, "records keep their alignment");
#define NET_DGRAM_MAX (128u * 1024)
static inline uint64_t net_dgram_room(uint32_t size)
{
	return sizeof(struct net_dgram) + (((uint64_t)size + 7) & ~7ull);
}
/* Puts a record whose payload stands in up to `count` pieces. False: no room. */
struct iovec;
bool net_dgram_put(struct bytering *r, const struct net_dgram *d, const struct iovec *iov, unsigned count);
/* The record at position *pos (from the ring's head on): 0, -EAGAIN, or -EPROTO (the ring is broken). iov: the payload. */
int net_dgram_look(struct bytering *r, uint64_t pos, struct net_dgram *ret, struct iovec iov[2]);

#endif
