/* Requests to fsd and their replies. A strand sends and sleeps until its reply is there; any number of
 * requests are under way. Private to gofer/. */
#ifndef SYSD_FS_GOFER_CLIENT_H
#define SYSD_FS_GOFER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "common/ipc/msg_fsd.h"
#include "services/sysd/fs/gofer/gofer.h"

struct stat;
struct strand;

#define GOFER_INLINE_SIZE 768

/* One request under way; lives on the caller's stack (or with on_reply: until that was called). */
struct gofer_call {
	struct fsd_reply rep;      /* decoded; strings point into the message kept here */
	int fd;                    /* the donated descriptor, or -1; the caller's */
	/* private */
	struct list node;
	uint64_t id;
	uint32_t op, mark;         /* mark: of the ring, after it */
	bool done, quiet;          /* quiet: nobody waits for it, fsd need not be woken at once */
	int error;
	struct strand *strand;
	uint8_t *msg;              /* inline_msg or an allocation */
	size_t msg_size;
	void (*on_reply)(struct gofer_call *c); /* on the executor's stack, instead of a sleeping strand */
	uint8_t inline_msg[GOFER_INLINE_SIZE];
};

/* fsd died before it answered: nobody knows whether it did what was asked; or before it read the request.
 * Errors that never leave gofer/. */
#define GOFER_LOST 4094
#define GOFER_UNREAD 4095

/* Sends q and waits. 0, -errno or one of those two; on success c->rep is valid until gofer_call_done, which every call
 * needs, whatever it returned. For FSD_READDIR the message itself is in c->msg. */
int gofer_call(struct gofer_call *c, struct fsd_req *q);
void gofer_call_done(struct gofer_call *c);
/* The same for what names no node and may be done twice: a loss is tried again. */
int gofer_call_again(struct gofer_call *c, struct fsd_req *q);
/* Sends q and returns; c->on_reply is called later (c->error says how it went). 0, or -errno when it
 * was not sent: then on_reply is never called. */
int gofer_send(struct gofer_call *c, struct fsd_req *q);
/* One more descriptor that came under a request's id, a regular file's; -errno when there is none. */
int gofer_take_fd(uint64_t id, struct stat *ret_st);
/* Wakes fsd for quiet requests: somebody waits for them now. */
void gofer_push(void);
/* Tells fsd, when convenient, that a node is not needed any more. */
void gofer_forget(uint64_t node);
/* Gives a watch back; no reply. */
void gofer_send_unwatch(int32_t wd);
/* Counts the connections to fsd: node ids of an earlier one mean nothing. */
uint32_t gofer_epoch(void);

extern struct gofer_stats gofer_stats;
void gofer_fs_register(void);

#endif
