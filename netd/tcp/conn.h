/* The inside of TCP: its structures, and what its files offer each other. One stack's TCP is single-threaded.
 *
 * Names follow the RFCs (snd_una, rcv_nxt...). Times are microseconds of the stack's clock unless _ms says otherwise.
 * Windows of the congestion control are counted in packets of mss_cache bytes, as Linux does and TCP_INFO shows. */
#ifndef NETD_TCP_CONN_H
#define NETD_TCP_CONN_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include "common/base/list.h"
#include "common/base/util.h"
#include "common/chan/bytering.h"
#include "netd/core/netif.h"
#include "netd/core/pkt.h"
#include "netd/core/stack.h"
#include "netd/core/timer.h"
#include "netd/ip/ip.h"
#include "netd/sock/port.h"
#include "netd/sock/sock.h"
#include "netd/tcp/seg.h"
#include "netd/tcp/tcp.h"

#define TCP_RTO_MIN_MS 200u
#define TCP_RTO_MAX_MS 120000u
#define TCP_RTO_INIT_MS 1000u
#define TCP_TIMEWAIT_MS 60000u
#define TCP_ATO_MIN_MS 40u
#define TCP_DELACK_MAX_MS 200u
#define TCP_RESOURCE_PROBE_MS 500u
#define TCP_INIT_CWND 10u
#define TCP_MAX_QUICKACKS 16u
#define TCP_DEFAULT_MSS 536u
#define TCP_OOO_RANGES 512u        /* holes that one connection may have */
#define TCP_GSO_MAX 65280u         /* payload of a super-segment: with headers below 64 KiB */
#define TCP_PAWS_24DAYS_S (60u * 60 * 24 * 24)

/* What the connection hash holds. Requests of the SYN queue and TIME_WAIT are small entries of their own. */
enum tcp_kind { TCP_KIND_SOCK, TCP_KIND_REQ, TCP_KIND_TW };
struct tcp_node {
	struct tcp_node *next;   /* in its bucket */
	uint32_t hash;
	uint8_t kind;
	bool hashed;
	uint16_t lport, rport;   /* network order */
	struct ip_addr laddr, raddr;
};

/* A range of the stream that was sent and not acknowledged: one transmission, cut when a SACK says so. */
#define SENT_SACKED 1u
#define SENT_LOST 2u
#define SENT_RETRANS 4u      /* a retransmission is under way */
#define SENT_EVER_RETRANS 8u
struct tcp_sent {
	struct list node;        /* tp->rtx, by sequence */
	struct list tnode;       /* tp->tsorted, by time of the last transmission; unlinked once SACKed */
	uint32_t seq, end;
	uint64_t sent_us;
	uint16_t pcount, mss;
	uint8_t flags;
	bool app_limited;
	/* rate sample (as in draft-cheng-iccrg-delivery-rate-estimation) */
	uint32_t delivered;
	uint64_t delivered_us, first_tx_us;
};

struct tcp_sock;
struct tcp_cong {
	const char *name;
	void (*init)(struct tcp_sock *tp);
	uint32_t (*ssthresh)(struct tcp_sock *tp);
	void (*avoid)(struct tcp_sock *tp, uint32_t ack, uint32_t acked);
	uint32_t (*undo)(struct tcp_sock *tp);
	void (*acked)(struct tcp_sock *tp, int64_t rtt_us);    /* may be NULL */
	void (*lost)(struct tcp_sock *tp);                      /* a time-out: may be NULL */
	void (*restart)(struct tcp_sock *tp);                   /* sending begins after idleness: may be NULL */
};
extern const struct tcp_cong tcp_cong_cubic, tcp_cong_reno;
const struct tcp_cong *tcp_cong_find(const char *name, uint32_t size);
const struct tcp_cong *tcp_cong_default(struct netstack *st);

enum tcp_ca { CA_OPEN, CA_DISORDER, CA_CWR, CA_RECOVERY, CA_LOSS };
enum tcp_pending { PENDING_NONE, PENDING_RETRANS, PENDING_REO, PENDING_TLP, PENDING_PROBE };

#define NAGLE_OFF 1u
#define NAGLE_CORK 2u
#define NAGLE_PUSH 4u        /* once */

#define ECN_OK 1u
#define ECN_QUEUE_CWR 2u
#define ECN_DEMAND_CWR 4u
#define ECN_SEEN 8u

#define ACK_SCHED 1u
#define ACK_TIMER 2u
#define ACK_PUSHED 4u
#define ACK_PUSHED2 8u
#define ACK_NOW 16u

struct tcp_sock {
	struct nsock s;          /* first */
	struct tcp_node node;
	struct tcp_state *t;
	uint8_t state;           /* TCP_ESTABLISHED... of netinet/tcp.h */
	bool shut_rd, shut_wr;
	bool orphan;             /* nsock_close was called */
	bool finished;           /* `done` was said */
	bool counted;            /* in CurrEstab */
	bool bound_port, bound_addr; /* by bind, so they outlive a connection */
	int err_soft;
	struct ip_route route;
	int iif;                 /* where the peer's SYN came in (link-local peers) */

	/* the retransmission queue and the timers */
	struct list rtx, tsorted;
	struct tcp_sent *rtx_hint, *sack_hint; /* where to look first; NULL: at the beginning */
	struct net_timer rtx_timer, ack_timer, keep_timer;
	uint8_t pending;         /* enum tcp_pending: what rtx_timer is for */
	struct net_work ack_work;

	/* sending */
	uint32_t iss, snd_una, snd_nxt, snd_wnd, snd_wl1, max_window, snd_sml, snd_up, pushed_seq;
	uint32_t tx_head_seq;    /* sequence number of the first byte in the tx ring */
	uint32_t fin_seq;        /* of our FIN, with fin_queued */
	bool fin_queued, urg_mode;
	uint16_t mss_cache, mss_clamp, advmss, user_mss;
	uint32_t pmtu;
	bool mtup_blackhole;
	uint16_t mtup_low;
	uint8_t hdr_size;        /* of a segment with data */
	uint8_t nonagle;
	uint32_t lsndtime_ms;
	bool out_full;           /* the owner was told, or saw, that there is no room */

	uint32_t packets_out, sacked_out, lost_out, retrans_out;
	uint32_t fack_seq;       /* end of the highest SACKed range, with sacked_out */
	uint32_t max_packets_out, cwnd_usage_seq;
	bool is_cwnd_limited;
	uint8_t ca_state;
	const struct tcp_cong *ca;
	uint64_t ca_priv[14];
	uint32_t snd_cwnd, cwnd_cnt, ssthresh, prior_cwnd, prior_ssthresh, cwnd_clamp, cwnd_used, cwnd_stamp_ms;
	uint32_t prr_delivered, prr_out, high_seq, undo_marker;
	int32_t undo_retrans;
	uint32_t retrans_stamp_ms; /* of the first retransmission in this episode, 0: none */
	uint32_t total_retrans;
	bool frto;
	uint32_t reordering, reord_seen;
	uint32_t tlp_high_seq;
	bool tlp_retrans;
	struct {
		uint64_t mstamp;
		uint32_t rtt_us, end_seq, last_delivered;
		uint8_t reo_wnd_steps, reo_wnd_persist;
		bool dsack_seen, advanced;
	} rack;
	uint32_t srtt_us, mdev_us, mdev_max_us, rttvar_us, rtt_seq; /* srtt scaled by 8, mdev by 4 */
	uint32_t min_rtt_us;
	uint64_t min_rtt_stamp;
	uint32_t rto_ms;
	uint8_t backoff, retransmits, total_rto, probes_out;
	uint32_t probes_stamp_ms, user_timeout_ms;
	uint32_t delivered, delivered_ce, lost, app_limited;
	uint64_t delivered_us, first_tx_us;
	uint32_t rate_delivered, rate_interval_us;
	bool rate_app_limited;

	/* options that were agreed */
	bool ts_ok, sack_ok, wscale_ok, dsack_seen;
	uint8_t snd_wscale, rcv_wscale;
	uint8_t ecn;
	uint32_t ts_off, ts_recent, ts_recent_stamp_s;
	bool saw_ts;
	uint32_t rcv_tsval, rcv_tsecr;

	/* receiving */
	uint32_t irs, rcv_nxt, rcv_wup, rcv_wnd, window_clamp;
	uint64_t rx_consumed_pos;  /* ring position that the reader had reached when we looked last */
	struct tcp_range *ooo;     /* data beyond a hole; it lies in rx at its place, not published yet */
	uint16_t ooo_count, ooo_room;
	bool ooo_fin;
	uint32_t ooo_fin_seq;
	const uint8_t *ooo_base;   /* the ring's region in which it lies */
	struct tcp_range sacks[TCP_MAX_SACKS], dsack;
	uint8_t sack_count;
	bool dsack_set, no_sack;   /* no_sack: leave the blocks out of the segment that is being made */
	struct {
		uint8_t pending, quick, pingpong;
		uint32_t ato_ms, timeout_ms, lrcv_ms;
		uint16_t last_seg_size, rcv_mss;
	} ack;
	uint32_t rcv_tstamp_ms;    /* of the last ACK */
	uint32_t last_oow_ms;      /* of the last answer to an unacceptable segment */
	bool peer_fin;             /* the peer's FIN was received in order */
	bool urg_valid, urg_here;  /* a mark was received; its byte too */
	uint32_t urg_seq;          /* of the byte */
	struct {
		uint32_t space;
		uint64_t pos, us;
	} rcvq;                    /* how much the owner reads in a round trip */
	uint32_t rcv_rtt_us, rcv_rtt_seq, rcv_rtt_tsecr;
	uint64_t rcv_rtt_stamp;

	/* keep-alive and the end */
	uint32_t keep_time_ms, keep_intvl_ms; /* 0: of the sysctl */
	uint8_t keep_probes, syn_retries;
	int32_t linger2_ms;        /* 0: of the sysctl, -1: do not wait */
	uint32_t notsent_lowat;    /* 0: of the sysctl */
	int32_t defer_s;

	/* listener */
	struct list accept_queue;  /* tcp_sock.accept_node */
	struct list reqs;          /* tcp_req.link */
	struct list listen_node;   /* in its bucket */
	int backlog, accept_count, req_count, req_young;
	uint32_t overflow_ms;      /* of the last cookie sent, with overflow_seen */
	bool overflow_seen;
	/* child */
	struct list accept_node;
	struct tcp_sock *parent;

	/* a connection to ourselves whose data the owner moves */
	struct tcp_sock *pair;
	bool paired;
	uint64_t pair_sent, pair_received;

	bool tw_reuse;             /* connect found a TIME_WAIT entry to succeed */
	uint32_t tw_iss, tw_ts_recent, tw_ts_stamp_s;

	/* TCP_INFO */
	uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retrans;
	uint32_t segs_in, segs_out, data_segs_in, data_segs_out, dsack_dups, reord_count;
	uint64_t busy_us, rwnd_limited_us, sndbuf_limited_us, chrono_us;
	uint8_t chrono;
	uint32_t rcv_ooopack, start_ms;
};

/* A connection request in the SYN queue. */
struct tcp_req {
	struct tcp_node node;
	struct list link;
	struct tcp_sock *listener;
	struct net_timer timer;
	struct ip_route route;
	uint32_t irs, iss, ts_recent, ts_off, rcv_wnd;
	uint64_t sent_us;          /* when the SYN-ACK went first */
	uint32_t last_oow_ms;
	uint16_t mss;
	uint8_t snd_wscale, rcv_wscale, timeouts, retrans, tos;
	bool ts_ok, sack_ok, wscale_ok, ecn_ok, acked;
	int iif;
};

struct tcp_tw {
	struct tcp_node node;
	struct list link;          /* t->tws */
	struct tcp_state *t;
	struct net_timer timer;
	void *port;
	uint32_t rcv_nxt, snd_nxt, rcv_wnd, ts_recent, ts_recent_ms, ts_off;
	uint32_t last_oow_ms;
	uint32_t uid;
	uint8_t substate;          /* TCP_FIN_WAIT2 or TCP_TIME_WAIT */
	uint8_t rcv_wscale, tos;
	bool ts_ok;
	int family, bound_if, iif;
};

#define TCP_LISTEN_BUCKETS 64u
struct tcp_state {
	struct netstack *st;
	struct tcp_node **bucket;  /* connections */
	uint32_t mask, count;
	struct tcp_node **old;     /* the table before, being moved over bit by bit */
	uint32_t old_mask, old_next;
	struct list listening[TCP_LISTEN_BUCKETS];
	struct list tws;
	struct list sent_free;     /* of tcp_sent */
	uint32_t sent_free_count;
	uint32_t tw_count, req_count, orphan_count, sock_count;
	uint32_t challenge_s, challenge_count;
	struct ip_tx tx;           /* scratch of the one sending now */
};

static inline struct tcp_sock *tcp_sk(struct nsock *s)
{
	return (struct tcp_sock *)s;
}
static inline uint32_t tcp_ms(const struct tcp_sock *tp)
{
	return (uint32_t)netstack_now_ms(tp->s.st);
}
static inline uint64_t tcp_us(const struct tcp_sock *tp)
{
	return netstack_now_us(tp->s.st);
}
/* The clock of the timestamp option, before the connection's offset. */
static inline uint32_t tcp_ts_now(struct netstack *st)
{
	return (uint32_t)(netstack_now_us(st) / 1000);
}
static inline uint32_t tcp_left_out(const struct tcp_sock *tp)
{
	return tp->sacked_out + tp->lost_out;
}
static inline uint32_t tcp_in_flight(const struct tcp_sock *tp)
{
	return tp->packets_out - tcp_left_out(tp) + tp->retrans_out;
}
static inline uint32_t tcp_wnd_end(const struct tcp_sock *tp)
{
	return tp->snd_una + tp->snd_wnd;
}
/* What is left of the window that we advertised. */
static inline uint32_t tcp_rcv_window(const struct tcp_sock *tp)
{
	int32_t win = (int32_t)(tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt);

	return win < 0 ? 0 : (uint32_t)win;
}
static inline bool tcp_in_slow_start(const struct tcp_sock *tp)
{
	return tp->snd_cwnd < tp->ssthresh;
}
static inline bool tcp_in_cwnd_reduction(const struct tcp_sock *tp)
{
	return tp->ca_state == CA_CWR || tp->ca_state == CA_RECOVERY;
}
static inline uint32_t tcp_current_ssthresh(const struct tcp_sock *tp)
{
	uint32_t kept = (tp->snd_cwnd >> 1) + (tp->snd_cwnd >> 2);

	return tcp_in_cwnd_reduction(tp) ? tp->ssthresh : MAX(tp->ssthresh, kept);
}
static inline struct tcp_sent *tcp_rtx_head(const struct tcp_sock *tp)
{
	return list_empty(&tp->rtx) ? NULL : LIST_FIRST(&tp->rtx, struct tcp_sent, node);
}
static inline bool tcp_synced(uint8_t state)
{
	return state != TCP_CLOSE && state != TCP_LISTEN && state != TCP_SYN_SENT && state != TCP_SYN_RECV;
}

/* ---- sock.c: life, states ---- */
extern const struct nsock_ops tcp_ops;
struct tcp_sock *tcp_sock_new(struct netstack *st, int family, const struct nsock_up *up, void *owner);
void tcp_set_state(struct tcp_sock *tp, uint8_t state);
/* Into CLOSE: out of the tables, timers stopped, the queue emptied; `done` when the owner has closed. */
void tcp_close_now(struct tcp_sock *tp);
/* The same with an error that the owner sees. */
void tcp_fail(struct tcp_sock *tp, int err);
void tcp_finish(struct tcp_sock *tp);
/* Both ends' ring bookkeeping of a new connection. */
void tcp_init_transfer(struct tcp_sock *tp);

/* ---- table.c ---- */
int tcp_table_init(struct tcp_state *t);
void tcp_table_free(struct tcp_state *t);
void tcp_node_set(struct tcp_state *t, struct tcp_node *n, enum tcp_kind kind, const struct ip_addr *laddr,
		  uint16_t lport, const struct ip_addr *raddr, uint16_t rport);
void tcp_node_insert(struct tcp_state *t, struct tcp_node *n);
void tcp_node_remove(struct tcp_state *t, struct tcp_node *n);
struct tcp_node *tcp_lookup(struct tcp_state *t, const struct ip_addr *laddr, uint16_t lport,
			    const struct ip_addr *raddr, uint16_t rport);
/* Calls fn for every node until false. */
void tcp_nodes(struct tcp_state *t, bool (*fn)(void *arg, struct tcp_node *n), void *arg);
struct tcp_sock *tcp_lookup_listener(struct tcp_state *t, const struct ip_rx *rx, uint16_t lport, uint16_t rport);
void tcp_listener_insert(struct tcp_sock *tp);
void tcp_listener_remove(struct tcp_sock *tp);

/* ---- isn.c ---- */
uint32_t tcp_isn(struct netstack *st, const struct tcp_node *n);
uint32_t tcp_ts_offset(struct netstack *st, const struct tcp_node *n);

/* ---- options.c ---- */
struct tcp_syn_opts {
	uint16_t mss;
	bool ts, sack, wscale_on;
	uint8_t wscale;
	uint32_t tsval, tsecr;
};
unsigned tcp_opts_syn(uint8_t *out, const struct tcp_syn_opts *o);
/* The options of a segment of an established connection; sacks: room for blocks. Returns the size (of 4). */
unsigned tcp_opts_est(struct tcp_sock *tp, uint8_t *out);
unsigned tcp_opts_est_size(const struct tcp_sock *tp);
/* The window scale for a receive buffer that may grow to `space` bytes. */
uint8_t tcp_choose_wscale(struct netstack *st, uint32_t space);

/* ---- build.c: putting segments on the wire ---- */
/* A header without payload; p->data at it. window as on the wire. */
struct pkt *tcp_build(uint16_t sport, uint16_t dport, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window,
		      const uint8_t *opt, unsigned opt_size);
/* Sends on behalf of a socket: checksum, route, offload fields. Consumes p. */
int tcp_xmit(struct tcp_sock *tp, struct pkt *p, uint32_t payload, uint16_t mss, uint8_t ecn_bits);
/* Sends an answer that belongs to no socket. */
void tcp_xmit_raw(struct netstack *st, struct pkt *p, const struct ip_addr *src, const struct ip_addr *dst, int oif,
		  const struct ip_route *route, uint8_t tos);
/* A route for the socket as it stands; 0 or -errno. */
int tcp_route(struct tcp_sock *tp);
bool tcp_valid_csum(const struct pkt *p, const struct ip_rx *rx);

/* ---- control.c: segments without data ---- */
int tcp_send_syn(struct tcp_sock *tp, bool ack);
void tcp_send_ack(struct tcp_sock *tp);
/* Acknowledges at the end of the round. */
void tcp_ack_soon(struct tcp_sock *tp);
void tcp_send_active_reset(struct tcp_sock *tp);
void tcp_send_probe(struct tcp_sock *tp, bool urgent);
/* The answer to a segment that nobody wants (RFC 9293 3.5.2). */
void tcp_reset_reply(struct netstack *st, const struct tcp_seg *seg);
void tcp_send_synack(struct tcp_req *req);
void tcp_req_ack(struct tcp_req *req, const struct tcp_seg *seg);
void tcp_tw_ack(struct tcp_tw *tw);
/* RFC 5961: at most so many in a second over all, and one in half a second for each connection. */
void tcp_challenge_ack(struct tcp_sock *tp, bool syn);
bool tcp_oow_limited(struct netstack *st, uint32_t *last_ms, bool has_data);

/* ---- window.c ---- */
uint32_t tcp_rx_room(struct tcp_sock *tp);
uint32_t tcp_rx_queued(struct tcp_sock *tp);
/* The window to advertise now, unscaled; remembers it. */
uint16_t tcp_select_window(struct tcp_sock *tp);
uint32_t tcp_window_candidate(struct tcp_sock *tp);
void tcp_rx_consumed(struct tcp_sock *tp);
void tcp_rcv_rtt_ts(struct tcp_sock *tp, uint32_t len);
void tcp_rcv_rtt_window(struct tcp_sock *tp);

/* ---- output.c ---- */
uint32_t tcp_write_end(struct tcp_sock *tp); /* sequence number behind all data (and the FIN) that is queued */
static inline bool tcp_send_pending(struct tcp_sock *tp)
{
	return tp->snd_nxt != tcp_write_end(tp);
}
uint32_t tcp_current_mss(struct tcp_sock *tp);
void tcp_sync_mss(struct tcp_sock *tp, uint32_t pmtu);
uint32_t tcp_mtu_to_mss(const struct tcp_sock *tp, uint32_t pmtu);
/* Sends what windows and Nagle allow. push_one 2: one segment at least, whatever cwnd says (TLP). True when data waits
 * and nothing is under way (a zero-window probe is due). */
bool tcp_write_xmit(struct tcp_sock *tp, uint32_t mss, uint8_t nonagle, int push_one);
void tcp_push_pending(struct tcp_sock *tp);
/* One transmission of [seq,end) out of the ring. */
int tcp_transmit(struct tcp_sock *tp, uint32_t seq, uint32_t end, uint16_t mss, bool push);
int tcp_retransmit(struct tcp_sock *tp, struct tcp_sent *r, uint32_t max_packets);
void tcp_xmit_retransmit_queue(struct tcp_sock *tp);
/* -1: nothing to wake, 0: sent, >0: could not be sent now. */
int tcp_write_wakeup(struct tcp_sock *tp);
void tcp_send_probe0(struct tcp_sock *tp);
void tcp_check_probe_timer(struct tcp_sock *tp);
bool tcp_writable(struct tcp_sock *tp);
void tcp_write_space(struct tcp_sock *tp);
void tcp_chrono(struct tcp_sock *tp);

/* ---- sent.c: the retransmission queue ---- */
struct tcp_sent *tcp_sent_add(struct tcp_sock *tp, uint32_t seq, uint32_t end, uint16_t mss);
void tcp_sent_free(struct tcp_sock *tp, struct tcp_sent *r);
void tcp_sent_clear(struct tcp_sock *tp);
/* Cuts r at `at`; the second part follows r. -ENOMEM. */
int tcp_sent_split(struct tcp_sock *tp, struct tcp_sent *r, uint32_t at);
void tcp_sent_trim(struct tcp_sock *tp, struct tcp_sent *r, uint32_t una);
void tcp_sent_merge(struct tcp_sock *tp, struct tcp_sent *r); /* SACKed neighbours */
void tcp_mark_lost(struct tcp_sock *tp, struct tcp_sent *r);
struct tcp_sent *tcp_sent_next(const struct tcp_sock *tp, const struct tcp_sent *r);

/* ---- input.c ---- */
extern const struct ip_protocol tcp_protocol;
/* ---- rcv_est.c, rcv_state.c, rcv_syn.c ---- */
void tcp_rcv_established(struct tcp_sock *tp, struct tcp_seg *seg);
void tcp_rcv_state(struct tcp_sock *tp, struct tcp_seg *seg);
/* Checks of RFC 9293 3.10.7.4 one to four (RFC 5961, PAWS). False: the segment is dealt with. */
bool tcp_validate(struct tcp_sock *tp, struct tcp_seg *seg);
void tcp_reset(struct tcp_sock *tp); /* a good RST came */
/* ---- delack.c ---- */
void tcp_ecn_check(struct tcp_sock *tp, const struct tcp_seg *seg);
/* ---- rcv_data.c ---- */
void tcp_data_queue(struct tcp_sock *tp, struct tcp_seg *seg);
void tcp_data_check(struct tcp_sock *tp); /* an ACK that is due */
void tcp_event_data(struct tcp_sock *tp, const struct tcp_seg *seg);
void tcp_urgent_in(struct tcp_sock *tp, const struct tcp_seg *seg);
void tcp_put_data(struct tcp_sock *tp, const struct tcp_seg *seg);
void tcp_fin_in(struct tcp_sock *tp);
void tcp_quickack(struct tcp_sock *tp, uint32_t max);
void tcp_dsack_set(struct tcp_sock *tp, uint32_t start, uint32_t end);
void tcp_send_dupack(struct tcp_sock *tp, const struct tcp_seg *seg);
void tcp_ooo_clear(struct tcp_sock *tp);
void tcp_delayed_ack(struct tcp_sock *tp);
bool tcp_in_quickack(const struct tcp_sock *tp);

/* ---- ack.c ---- */
#define FLAG_DATA 0x01u              /* the segment had data */
#define FLAG_WIN_UPDATE 0x02u
#define FLAG_DATA_ACKED 0x04u
#define FLAG_RETRANS_ACKED 0x08u
#define FLAG_SYN_ACKED 0x10u
#define FLAG_DATA_SACKED 0x20u
#define FLAG_ECE 0x40u
#define FLAG_LOST_RETRANS 0x80u
#define FLAG_SLOWPATH 0x100u
#define FLAG_ORIG_SACK_ACKED 0x200u
#define FLAG_UNA_ADVANCED 0x400u
#define FLAG_DSACK 0x800u
#define FLAG_SET_TIMER 0x1000u
#define FLAG_RENEGING 0x2000u
#define FLAG_UPDATE_TS 0x4000u
#define FLAG_NO_CHALLENGE 0x8000u
#define FLAG_DSACK_TLP 0x10000u
#define FLAG_ACKED (FLAG_DATA_ACKED | FLAG_SYN_ACKED)
#define FLAG_NOT_DUP (FLAG_DATA | FLAG_WIN_UPDATE | FLAG_ACKED)
/* 1: good, 0: old but harmless, negative: not acceptable (answered where an answer is due). */
int tcp_ack(struct tcp_sock *tp, struct tcp_seg *seg, uint32_t flag);
/* State of one ACK's walk over the queue. */
struct tcp_ack_ctx {
	uint32_t *flag;
	uint32_t reord;          /* lowest sequence that shows reordering */
	uint32_t prior_una;
	int64_t sack_rtt_us, seq_rtt_us, ca_rtt_us; /* -1: none */
	uint64_t first_sackt, last_sackt;
	uint64_t mss_now;
	/* rate sample */
	uint64_t prior_us;
	uint32_t prior_delivered, prior_in_flight;
	int64_t interval_us;
	bool app_limited, retrans;
	uint32_t prior_delivered_total, prior_lost;
	uint64_t snd_interval_us;
};
void tcp_rate_delivered(struct tcp_sock *tp, const struct tcp_sent *r, struct tcp_ack_ctx *cx);
/* ---- rtt.c ---- */
void tcp_rtt_sample(struct tcp_sock *tp, int64_t rtt_us);
void tcp_set_rto(struct tcp_sock *tp);
void tcp_min_rtt(struct tcp_sock *tp, uint32_t rtt_us);
/* ---- sack.c ---- */
void tcp_sacktag(struct tcp_sock *tp, const struct tcp_seg *seg, struct tcp_ack_ctx *cx);
void tcp_reordering_seen(struct tcp_sock *tp, uint32_t low_seq, bool by_ts);
/* ---- recovery.c ---- */
enum tcp_rexmit { REXMIT_NONE, REXMIT_LOST, REXMIT_NEW };
void tcp_fastretrans(struct tcp_sock *tp, uint32_t prior_una, int dupacks, uint32_t *flag, enum tcp_rexmit *rexmit);
void tcp_enter_loss(struct tcp_sock *tp);
void tcp_enter_cwr(struct tcp_sock *tp);
void tcp_simple_retransmit(struct tcp_sock *tp);
void tcp_init_cwnd_reduction(struct tcp_sock *tp);
void tcp_end_cwnd_reduction(struct tcp_sock *tp);
void tcp_cwnd_reduction(struct tcp_sock *tp, uint32_t newly_acked, uint32_t newly_lost, uint32_t flag);
void tcp_try_keep_open(struct tcp_sock *tp);
void tcp_set_ca_state(struct tcp_sock *tp, uint8_t state);
void tcp_enter_recovery(struct tcp_sock *tp, bool ece);
bool tcp_any_retrans(const struct tcp_sock *tp); /* has what is under way been sent again? */
/* ---- undo.c ---- */
void tcp_init_undo(struct tcp_sock *tp);
/* True: the state must not change yet (no SACK: what else is acknowledged decides). */
bool tcp_try_undo_recovery(struct tcp_sock *tp);
/* True: undone. */
bool tcp_try_undo_dsack(struct tcp_sock *tp);
bool tcp_try_undo_loss(struct tcp_sock *tp, bool frto_undo);
/* True: wait for what the retransmissions bring. *do_lost false: undone, nothing is lost. */
bool tcp_try_undo_partial(struct tcp_sock *tp, uint32_t prior_una, bool *do_lost);
/* ---- rack.c: RFC 8985 ---- */
void tcp_rack_advance(struct tcp_sock *tp, uint8_t flags, uint32_t end_seq, uint64_t xmit_us);
bool tcp_rack_mark_lost(struct tcp_sock *tp); /* true: the reordering timer was set */
void tcp_rack_reo_timeout(struct tcp_sock *tp);
void tcp_rack_update_reo_wnd(struct tcp_sock *tp, uint32_t prior_delivered);
int64_t tcp_rack_timeout(struct tcp_sock *tp, const struct tcp_sent *r, uint32_t reo_wnd);
bool tcp_schedule_tlp(struct tcp_sock *tp);
void tcp_send_tlp(struct tcp_sock *tp);
void tcp_process_tlp_ack(struct tcp_sock *tp, uint32_t ack, uint32_t flag);
/* ---- cong.c ---- */
uint32_t tcp_slow_start(struct tcp_sock *tp, uint32_t acked);
void tcp_cong_ai(struct tcp_sock *tp, uint32_t w, uint32_t acked);
bool tcp_is_cwnd_limited(const struct tcp_sock *tp);
void tcp_cwnd_validate(struct tcp_sock *tp, bool limited);
void tcp_cwnd_restart(struct tcp_sock *tp, uint32_t idle_ms);
uint32_t tcp_init_cwnd(const struct tcp_sock *tp);
uint32_t tcp_reno_ssthresh(struct tcp_sock *tp);
uint32_t tcp_reno_undo(struct tcp_sock *tp);

/* ---- timer.c ---- */
void tcp_timers_init(struct tcp_sock *tp);
void tcp_timers_stop(struct tcp_sock *tp);
void tcp_set_timer(struct tcp_sock *tp, enum tcp_pending what, uint32_t delay_ms);
void tcp_clear_timer(struct tcp_sock *tp);
void tcp_rearm_rto(struct tcp_sock *tp);
int64_t tcp_rto_delta_us(const struct tcp_sock *tp);
void tcp_write_error(struct tcp_sock *tp); /* it went on for too long */
void tcp_keep_fire(struct net_timer *timer);
void tcp_keepalive_arm(struct tcp_sock *tp, uint32_t delay_ms);
uint32_t tcp_keep_time_ms(const struct tcp_sock *tp);
uint32_t tcp_fin_time_ms(const struct tcp_sock *tp);
uint32_t tcp_probe0_base(const struct tcp_sock *tp);
uint32_t tcp_probe0_when(const struct tcp_sock *tp);
uint32_t tcp_clamp_user_timeout(const struct tcp_sock *tp, uint32_t when_ms);
void tcp_req_timer(struct net_timer *timer);

/* ---- listen.c, cookie.c ---- */
int tcp_listen(struct nsock *s, int backlog);
int tcp_accept(struct nsock *s, struct nsock **ret);
void tcp_listen_stop(struct tcp_sock *tp);
void tcp_rcv_listen(struct tcp_sock *tp, struct tcp_seg *seg, uint32_t tw_isn, bool tw);
void tcp_rcv_req(struct tcp_req *req, struct tcp_seg *seg);
void tcp_req_free(struct tcp_req *req);
struct tcp_sock *tcp_child_new(struct tcp_req *req, struct tcp_seg *seg);
static inline bool tcp_accept_full(const struct tcp_sock *tp)
{
	return tp->accept_count > tp->backlog;
}
uint32_t tcp_cookie_make(struct netstack *st, const struct tcp_req *req, uint16_t *mss);
/* 0: not one of ours, else the MSS. */
uint16_t tcp_cookie_check(struct netstack *st, const struct tcp_node *n, uint32_t cookie, uint32_t irs);
uint32_t tcp_cookie_ts(struct netstack *st, const struct tcp_req *req);
bool tcp_cookie_ts_read(struct netstack *st, uint32_t tsecr, struct tcp_req *req);

/* ---- connect.c, close.c, timewait.c ---- */
int tcp_bind(struct nsock *s, const struct nsock_name *n);
int tcp_connect(struct nsock *s, const struct nsock_name *n);
void tcp_disconnect(struct tcp_sock *tp);
int tcp_shutdown(struct nsock *s, bool rd, bool wr);
void tcp_close(struct nsock *s, bool reset);
void tcp_send_fin(struct tcp_sock *tp);
void tcp_time_wait(struct tcp_sock *tp, uint8_t substate, uint32_t timeout_ms);
void tcp_rcv_tw(struct tcp_tw *tw, struct tcp_seg *seg);
void tcp_tw_kill(struct tcp_tw *tw);
bool tcp_tw_reusable(struct tcp_tw *tw, struct tcp_sock *by);

/* ---- sockopt.c, info.c ---- */
int tcp_setopt(struct nsock *s, int level, int name, const void *val, uint32_t size);
int tcp_getopt(struct nsock *s, int level, int name, void *val, uint32_t *size);
void tcp_opt_changed(struct nsock *s);
uint32_t tcp_info_fill(struct tcp_sock *tp, void *out, uint32_t size);
/* ---- icmp.c ---- */
void tcp_icmp_error(struct netstack *st, const struct ip_flow *flow, const uint8_t *data, uint32_t size,
		    const struct ip_error *err);
/* ---- pair.c ---- */
void tcp_pair_offer(struct tcp_sock *child);
void tcp_pair_close(struct tcp_sock *tp, bool reset);
void tcp_pair_shutdown(struct tcp_sock *tp);

/* The largest payload without options: an IP packet has at most 65535 bytes whatever loopback's MTU. */
static inline uint16_t tcp_mtu_mss(int family, uint32_t mtu)
{
	uint32_t headers = family == AF_INET ? 40 : 60;

	mtu = MIN(mtu, 65535u);
	return (uint16_t)(mtu > headers + 8 ? mtu - headers : 8);
}

static inline uint32_t tcp_pcount(uint32_t bytes, uint32_t mss)
{
	return bytes <= mss ? 1 : (bytes + mss - 1) / mss;
}

#endif
