/* The socket layer: what all families share (socket(7)), and what a family implements.
 *
 * A struct socket is counted apart from its file: peers, queued connections and names refer to it. The
 * file holds one reference; its release calls ops->release and drops it. */
#ifndef SYSD_NET_SOCKET_H
#define SYSD_NET_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "services/sysd/abi/socket.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/event/fasync.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/net/scm.h"

struct cred;
struct file;
struct net_ns;
struct poll_table;
struct sock_msg;
struct socket;
struct task;

struct sock_addr {
	uint16_t size; /* 0: none */
	union {
		uint16_t family;
		struct abi_sockaddr_un un;
		uint8_t raw[ABI_SOCKADDR_MAX];
	};
};

/* Callbacks run on the caller's strand and may sleep unless they say otherwise. `nonblock` is the file's
 * O_NONBLOCK. A NULL callback answers EOPNOTSUPP. */
struct socket_ops {
	int (*bind)(struct socket *s, struct task *t, const struct sock_addr *addr);
	int (*connect)(struct socket *s, struct task *t, const struct sock_addr *addr, bool nonblock);
	int (*socketpair)(struct socket *a, struct socket *b, struct task *t);
	int (*listen)(struct socket *s, struct task *t, int backlog);
	/* *ret: a socket with a reference, not yet in a file. */
	int (*accept)(struct socket *s, struct task *t, bool nonblock, struct socket **ret);
	int (*getname)(struct socket *s, bool peer, struct sock_addr *ret);
	/* The count or -errno. flags: MSG_*, with MSG_DONTWAIT for O_NONBLOCK. */
	ssize_t (*sendmsg)(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags);
	ssize_t (*recvmsg)(struct socket *s, struct task *t, struct sock_msg *m, unsigned flags);
	int (*shutdown)(struct socket *s, unsigned how); /* ABI_SHUT_*_BIT */
	uint32_t (*poll)(struct socket *s, struct poll_table *pt); /* never sleeps */
	long (*ioctl)(struct socket *s, struct task *t, unsigned cmd, uint64_t arg);
	/* Levels other than SOL_SOCKET, and options of it that the layer does not know (-ENOPROTOOPT). */
	int (*setsockopt)(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint32_t size);
	int (*getsockopt)(struct socket *s, struct task *t, int level, int name, uint64_t uval,
			  uint64_t usize);
	/* An SO_* value of the layer changed (buffer sizes, lowat...); may refuse. */
	int (*option_changed)(struct socket *s, int name);
	/* It has a file now. Optional. */
	void (*installed)(struct socket *s);
	/* The file is gone: disconnect, wake, forget names. */
	void (*release)(struct socket *s);
	/* The last reference is gone. Never sleeps. */
	void (*free)(struct socket *s);
};

enum socket_state { SS_UNCONNECTED, SS_LISTEN, SS_CONNECTING, SS_ESTABLISHED, SS_DEAD };

struct socket {
	unsigned refs;
	const struct socket_ops *ops;
	struct file *file;      /* no reference; NULL: not accepted yet, or closed */
	struct net_ns *ns;      /* a reference */
	uint64_t cookie;
	int family, type, protocol;
	enum socket_state state;
	unsigned shutdown;      /* ABI_SHUT_*_BIT */
	int err;                /* pending error, positive; sock_error takes it */
	struct waitq wait;
	struct fasync async;
	/* SOL_SOCKET options */
	int sndbuf, rcvbuf, rcvlowat, priority, peek_off; /* peek_off < 0: off */
	uint32_t mark;
	uint64_t rcvtimeo_ns, sndtimeo_ns; /* 0: none */
	bool debug, reuseaddr, reuseport, keepalive, broadcast, dontroute, oobinline, no_check, passcred,
		timestamp, timestampns;
	struct abi_linger linger;
	struct ucred_full {     /* SO_PEERCRED, SO_PEERGROUPS; cred NULL: none */
		uint32_t pid;   /* in the root pid namespace */
		struct cred *cred;
	} peer_cred;
	uint32_t uid;           /* of its maker */
};

#define SOCK_BUF_DEFAULT 212992
#define SOCK_BUF_MAX 212992 /* net.core.{r,w}mem_max */
#define SOCK_SNDBUF_MIN 4608
#define SOCK_RCVBUF_MIN 2304

/* Fills in the common part: one reference, which becomes the file's. t NULL: made by nobody (uid 0). */
void socket_init(struct socket *s, const struct socket_ops *ops, struct task *t, struct net_ns *ns,
		 int family, int type, int protocol);
static inline struct socket *socket_ref(struct socket *s)
{
	s->refs++;
	return s;
}
void socket_unref(struct socket *s);
/* Takes the pending error: -errno or 0. */
static inline int socket_error(struct socket *s)
{
	int err = s->err;

	s->err = 0;
	return -err;
}
void socket_set_peer_cred(struct socket *s, uint32_t pid, struct cred *cred);

/* A file on the socket; takes the caller's reference to it on success. flags: O_NONBLOCK. */
int socket_new_file(struct socket *s, unsigned flags, struct file **ret);
struct socket *socket_of_file(const struct file *f); /* NULL: not a socket */
/* The socket behind fd; *ret_file is a reference. -EBADF, -ENOTSOCK. */
int socket_get(struct task *t, int fd, struct file **ret_file, struct socket **ret);

/* Something changed: wakes sleepers and pollers, and sends SIGIO. */
void socket_wake_read(struct socket *s);
void socket_wake_write(struct socket *s);
void socket_wake_state(struct socket *s, uint32_t events);
/* The deadline of a blocking call now: KTIMER_NEVER without a timeout, 0 for nonblock. */
uint64_t socket_rcv_deadline(const struct socket *s, bool nonblock);
uint64_t socket_snd_deadline(const struct socket *s, bool nonblock);
/* What a sleep's result means for the call: -ETIMEDOUT is EAGAIN; an interrupted call restarts only
 * when it had no timeout. */
int socket_wait_error(int err, uint64_t deadline_ns);

/* ---- messages --------------------------------------------------------------------------------- */

struct sock_msg {
	struct uio u;
	struct sock_addr name; /* send: destination; recv: filled in by the family */
	/* send: control messages, copied in (NULL: none) */
	uint8_t *control;
	size_t control_size;
	struct scm scm;        /* send: parsed SOL_SOCKET messages, the family may steal */
	/* recv */
	struct task *task;
	uint64_t ucontrol;     /* where the next one goes */
	size_t control_room, control_used;
	bool cloexec;          /* MSG_CMSG_CLOEXEC */
	uint32_t out_flags;
};
/* Puts one control message of a receiver; MSG_CTRUNC in out_flags when it does not fit. */
void sock_put_cmsg(struct sock_msg *m, int level, int type, const void *data, size_t size);
/* Installs descriptors for SCM_RIGHTS; takes the references that `fds` holds. */
void sock_put_rights(struct sock_msg *m, struct scm_fds *fds);
/* What t calls the process with this number (SCM_CREDENTIALS, SO_PEERCRED). */
int32_t sock_pid_for(struct task *t, uint32_t pid);

/* sendmsg and recvmsg with a message in kernel hands (splice): u is consumed or filled. */
ssize_t socket_send_uio(struct file *f, struct uio *u, unsigned flags);
ssize_t socket_recv_uio(struct file *f, struct uio *u, unsigned flags);

long socket_setopt(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint32_t size);
long socket_getopt(struct socket *s, struct task *t, int level, int name, uint64_t uval, uint64_t usize);

#endif
