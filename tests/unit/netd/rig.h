/* Tests of TCP: sockets whose owner keeps their rings (sbox), and a peer that is a script: it builds each segment byte by
 * byte and looks at each one that the stack sends, over a link without Ethernet headers (10.9.0.1 is the stack, 10.9.0.2
 * the script). Sequence numbers are relative: 0 is the SYN of whoever they are of. */
#ifndef TEST_NETD_RIG_H
#define TEST_NETD_RIG_H

#include "world.h"

#include "common/chan/bytering.h"
#include "netd/tcp/conn.h"
#include "netd/tcp/info.h"

/* ---- owners of stream sockets ---- */

struct sbox {
	struct list all;
	struct nsock *s;         /* NULL once done */
	struct bytering_shm tx_shm, rx_shm;
	uint8_t *tx_mem, *rx_mem;
	struct bytering tx, rx;  /* the transport's ends: consumes tx, produces rx */
	struct bytering wr, rd;  /* ours */
	uint32_t events;
	bool done;
	struct sbox *peer;       /* paired with */
	uint64_t want_tx, want_rx; /* what grow asked for last */
	unsigned grows;
	uint64_t tx_used, rx_used; /* of the arenas */
};
/* Sizes of rings that listeners' children get; pairing is accepted or not. */
extern uint32_t sbox_tx_size, sbox_rx_size;
extern bool sbox_pair, sbox_refuse;
extern uint64_t sbox_arena; /* rings grow, within this much; 0: they do not */
struct sbox *sbox_new(struct netstack *st, int family);
struct sbox *sbox_listen(struct netstack *st, const char *addr, unsigned port, int backlog);
struct sbox *sbox_accept(struct sbox *l); /* NULL: none */
int sbox_connect(struct sbox *b, const char *addr, unsigned port);
size_t sbox_put(struct sbox *b, const void *data, size_t size);  /* into the ring only */
size_t sbox_write(struct sbox *b, const void *data, size_t size); /* and tells the transport */
size_t sbox_pattern(struct sbox *b, uint64_t pos, size_t size);  /* writes rig_byte(pos...) */
size_t sbox_read(struct sbox *b, void *data, size_t size);
/* Reads all there is, which must be `size` bytes of the pattern from pos on. */
void sbox_expect(struct sbox *b, uint64_t pos, size_t size);
void sbox_close(struct sbox *b, bool reset);
void sbox_free(struct sbox *b); /* closes when it was not closed */
void sbox_reap(void);    /* behind the end of their stack: those that were not done */
int sbox_opt(struct sbox *b, int name, int value);
void sbox_info(struct sbox *b, struct tcp_info_abi *i);
unsigned sbox_state(struct sbox *b);
uint8_t rig_byte(uint64_t pos);

/* ---- the scripted peer ---- */

struct pk {
	struct pk *next;
	uint64_t at_ms;          /* since the rig began */
	uint8_t flags, tos;
	uint32_t seq, ack;       /* relative; ack without SEG_ACK: 0 */
	uint32_t len, raw_seq, raw_ack;
	uint16_t win, urg, gso_size;
	struct tcp_opts o;
	uint16_t sport, dport;
	struct tcp_range sack[4]; /* relative */
	bool v6, df;
	uint8_t data[];
};

struct rig {
	struct world *w;
	struct netif *nif;
	struct pk *first, **end;
	struct sbox *l, *c;      /* the listener, the connection */
	uint32_t iss, irs;       /* of the stack, of the script */
	uint16_t port, peer_port;
	bool ts, wscale_on, sack, v6;
	uint8_t wscale;          /* of the script, and the stack's, once known */
	uint8_t peer_wscale;
	uint32_t tsval, ts_last; /* ours for the next segment (0: runs with time), theirs */
	uint16_t win;            /* the window that the script sends */
	uint64_t begin_ns;
	bool iss_known;
};

struct rig_opts {
	bool no_ts, no_sack, no_wscale, no_mss, v6, ecn;
	uint16_t mss;            /* of the script, 0: 1460 */
	uint8_t wscale;          /* default 7 */
	uint32_t features;
	uint32_t mtu;            /* 0: 1500 */
	uint32_t tx, rx;         /* rings; 0: 256 KiB */
	int backlog;
	uint16_t win;            /* 0: 60000 */
	void (*before)(struct rig *r); /* the socket exists, the SYN was not sent (of active opens: r->c, else r->l) */
};

struct rig *rig_new(const struct rig_opts *o);
void rig_free(struct rig *r);
/* The script connects to port 80, the stack accepts: r->c. */
struct rig *rig_passive(const struct rig_opts *o);
/* The stack connects to the script's port 7000: r->c. */
struct rig *rig_active(const struct rig_opts *o);

/* The script sends. data: the pattern at the place of its sequence number. */
void in(struct rig *r, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len);
void in_sack(struct rig *r, uint32_t ack, unsigned count, const struct tcp_range *sack); /* a pure ACK */
struct in {
	uint8_t flags, tos, ttl;
	uint32_t seq, ack, len;
	uint16_t win;
	uint16_t urg;
	bool win_set, raw_opts, bad_csum, raw_seq;
	const uint8_t *opts;     /* with raw_opts: exactly these */
	unsigned opts_size;
	int off;                 /* header length in words that is claimed, 0: the right one */
	unsigned sack_count;
	struct tcp_range sack[4];
	uint16_t sport, dport;   /* 0: the connection's */
	bool no_ts;
	uint32_t tsval, tsecr;   /* 0: as usual */
	uint32_t cut;            /* bytes left off the end */
	const void *data;
	uint16_t gso_size;
};
void in_ex(struct rig *r, const struct in *i);
/* An ICMP error about the last segment that the stack sent with this sequence number. */
void in_icmp(struct rig *r, uint8_t type, uint8_t code, uint32_t mtu, uint32_t seq);

/* What the stack sent: the next one, which must be there; rig_none: there is none. free() it, or use expect. */
struct pk *out(struct rig *r);
bool rig_none(struct rig *r);
void rig_drop(struct rig *r); /* forgets what was sent */
unsigned rig_count(struct rig *r);
void pass(struct rig *r, uint64_t ms);

/* The next one must have these flags, numbers and length. */
#define expect(r, f, s, a, l) expect_at(r, f, s, a, l, __FILE__, __LINE__)
void expect_at(struct rig *r, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len, const char *file, int line);
#define expect_none(r) expect_none_at(r, __FILE__, __LINE__)
void expect_none_at(struct rig *r, const char *file, int line);
/* A listener of the stack that has had a SYN; the connections of o->backlog, or 5, may wait. */
struct rig *rig_half_open(const struct rig_opts *o);
/* Another connection to it, from this port; k is the SYN-ACK. */
void syn_from(struct rig *r, uint16_t port);
void ack_from(struct rig *r, uint16_t port, const struct pk *k);
uint64_t rig_counter(struct rig *r, enum net_mib what);

#define A SEG_ACK
#define P SEG_PSH
#define S SEG_SYN
#define F SEG_FIN
#define R SEG_RST
#define U SEG_URG

#endif
