/* UNIX sockets (unix(7)): the inside. A connection is two sockets that refer to each other; what one
 * sends is queued at the other as packets, charged to the sender until they are read. */
#ifndef SYSD_NET_UNIX_UNIX_H
#define SYSD_NET_UNIX_UNIX_H

#include "common/base/list.h"
#include "services/sysd/net/socket.h"
#include "services/sysd/vfs/dentry.h"

#define UNIX_PATH_OFF 2u /* offset of sun_path */
#define UNIX_NAME_HASH 64

/* A name, shared by a listening socket and what it accepted. */
struct unix_addr {
	unsigned refs;
	struct list node; /* abstract: in net_ns.unix_names */
	struct unix_sock *owner;
	struct abi_sockaddr_un un;
	uint16_t size;
};

struct unix_sock {
	struct socket s; /* first */
	struct list all_node;   /* of all UNIX sockets */
	struct unix_sock *peer; /* a reference; a datagram socket's may be dead */
	struct unix_addr *addr;
	struct path path;       /* of a bound name in the file system */
	struct list queue;      /* struct unix_packet */
	unsigned queue_count, backlog;
	uint64_t queue_bytes;
	bool host;              /* host.c: the hidden end of a connection to a socket of the host */
	int wmem;               /* what packets of ours in other queues are charged */
	struct waitq peer_wait; /* senders and connectors that wait for room in our queue */
	struct waitq_entry relay; /* on a full peer's peer_wait, for pollers of ours */
	/* net/unix/gc.c */
	struct list gc_node;    /* while in flight */
	unsigned in_flight, gc_count;
	bool gc_candidate, gc_reachable;
};

struct unix_packet {
	struct list node;
	struct unix_sock *from; /* who is charged; a reference */
	struct unix_sock *conn; /* in a listener's queue: the new connection, a reference */
	uint32_t charge;
	uint32_t off, size;     /* what is left to read */
	bool has_creds, peeked;
	uint32_t pid, uid, gid;
	struct scm_fds *fds;
	uint8_t data[];
};

static inline struct unix_sock *unix_sk(struct socket *s)
{
	return (struct unix_sock *)s;
}
static inline bool unix_writable(const struct unix_sock *u)
{
	return u->s.state != SS_LISTEN && u->wmem * 4 <= u->s.sndbuf;
}
static inline bool unix_queue_full(const struct unix_sock *u)
{
	return u->queue_count > u->backlog;
}
static inline bool unix_dead(const struct unix_sock *u)
{
	return u->s.state == SS_DEAD;
}
static inline void unix_unref(struct unix_sock *u)
{
	if (u)
		socket_unref(&u->s);
}
static inline struct unix_sock *unix_ref(struct unix_sock *u)
{
	u->s.refs++;
	return u;
}

/* af_unix.c */
struct list *unix_all(void);
struct unix_sock *unix_new(struct task *t, struct net_ns *ns, int type, int protocol);
void unix_set_peer(struct unix_sock *u, struct unix_sock *peer); /* takes a reference of its own */
int unix_getname(struct socket *s, bool peer, struct sock_addr *ret);
int unix_shutdown(struct socket *s, unsigned how);
int unix_socketpair(struct socket *a, struct socket *b, struct task *t);
int unix_option_changed(struct socket *s, int name);
long unix_ioctl(struct socket *s, struct task *t, unsigned cmd, uint64_t arg);
void unix_release(struct socket *s);
void unix_free(struct socket *s);

/* packet.c */
/* Waits until the sender may charge more, then makes a packet. -EAGAIN, -EPIPE, a pending error... */
int unix_packet_wait(struct unix_sock *u, uint64_t deadline_ns);
struct unix_packet *unix_packet_new(struct unix_sock *from, uint32_t size);
void unix_packet_free(struct unix_packet *p);
/* Enters at the end of to's queue, with the sender's credentials and descriptors. */
void unix_packet_queue(struct unix_sock *to, struct unix_packet *p);
void unix_packet_unqueue(struct unix_sock *u, struct unix_packet *p);
/* Takes scm's descriptors into the packet, as being in flight. -ETOOMANYREFS. */
int unix_attach_scm(struct task *t, struct unix_packet *p, struct scm *scm);
/* Descriptors out of a packet that is being read (peek: copies). NULL: none or no memory. */
struct scm_fds *unix_detach_fds(struct unix_packet *p, bool peek);
/* Credentials and descriptors to the receiver; takes fds. */
void unix_put_scm(struct socket *s, struct sock_msg *m, bool has_creds, uint32_t pid, uint32_t uid,
		  uint32_t gid, struct scm_fds *fds);
void unix_copy_name(const struct unix_sock *u, struct sock_addr *ret);

/* name.c */
int unix_bind(struct socket *s, struct task *t, const struct sock_addr *addr);
int unix_autobind(struct unix_sock *u);
int unix_addr_check(const struct sock_addr *addr);
/* The socket with this name, a reference. -ECONNREFUSED, -EPROTOTYPE, -ENOENT, -EACCES... */
int unix_find(struct unix_sock *u, struct task *t, const struct sock_addr *addr, struct unix_sock **ret);
/* The inode that a path names, which t may write to: a reference. -ENOENT, -EACCES...; -ECONNREFUSED: not a path. */
int unix_find_inode(struct task *t, const struct sock_addr *addr, struct inode **ret);
void unix_addr_unref(struct unix_addr *a);
void unix_unbind(struct unix_sock *u);

/* stream.c, dgram.c */
extern const struct socket_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops;
int unix_dgram_connect(struct socket *s, struct task *t, const struct sock_addr *addr, bool nonblock);

/* host.c: where nothing of the sandbox listens: connects to a socket of the host, when there is one and it may be. */
int unix_connect_host(struct unix_sock *u, struct task *t, const struct sock_addr *addr, uint64_t deadline_ns);

/* connect.c */
int unix_listen(struct socket *s, struct task *t, int backlog);
int unix_stream_connect(struct socket *s, struct task *t, const struct sock_addr *addr, bool nonblock);
int unix_accept(struct socket *s, struct task *t, bool nonblock, struct socket **ret);
uint32_t unix_poll(struct socket *s, struct poll_table *pt);
uint32_t unix_dgram_poll(struct socket *s, struct poll_table *pt);
void unix_relay_leave(struct unix_sock *u);

/* gc.c */
void unix_fds_in_flight(struct scm_fds *fds);
void unix_fds_landed(struct scm_fds *fds);
bool unix_too_many_fds(struct task *t);
/* Frees sockets that only queues of each other hold. May sleep. */
void unix_gc(void);

#endif
