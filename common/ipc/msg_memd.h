/* Messages between sysd and memd on their ring (the "memd" section of sbx.cddl). One struct serves all
 * kinds; which fields count stands beside each kind. Descriptors go over the pass socket, before the
 * message that names their ticket. */
#ifndef SBX_IPC_MSG_MEMD_H
#define SBX_IPC_MSG_MEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum memd_msg_kind {
	/* sysd to memd */
	MEMD_START = 1,   /* ticket (ctl memfd), ticket2 (bell memfd), value = size of the pool of blanks */
	MEMD_FORK = 2,    /* id = parent, cookie, object = the child's slots: its next process clone is
			   * approved; answer MEMD_FORKED */
	MEMD_MAP = 3,     /* id, args[6] of the mmap call; object, ticket (0: cached), writable */
	MEMD_KILL = 4,    /* id: SIGKILL; answer MEMD_DIED. what = 1: it ends by itself, as ordered */
	MEMD_FORGET = 5,  /* object: close the cached descriptor */
	MEMD_OPEN = 6,    /* req, id, what (enum memd_open): answer MEMD_OPENED */
	MEMD_LIMIT = 7,   /* req, id, what = RLIMIT_*, value = soft, value2 = hard; MEMD_DONE unless req is 0 */
	MEMD_TAKEN = 8,   /* id: the blank is in use; make another */
	MEMD_CANCEL = 9,  /* cookie: the fork order did not come to be */
	MEMD_GIVE = 10,   /* object = slots that sysd has no use for, and has cleared; what = 1: for a blank
			   * process, 0: sysd has forgotten them */
	MEMD_WANT = 11,   /* value = 1: sysd waits for a MEMD_SLOTS */
	MEMD_HEAR = 12,   /* cookie: sysd waits for this MEMD_FORKED */
	/* memd to sysd */
	MEMD_UP = 20,     /* ticket (eventfd that wakes memd), args = base, vdso, vdso size, text size */
	MEMD_BLANK = 21,  /* id, pid, object = its slots, ticket (their memfd; 0: sysd has it): a blank process */
	MEMD_FORKED = 22, /* cookie, id, pid; error set: it failed, its slots are gone */
	MEMD_DIED = 23,   /* id, value = wait status, what = 1: nobody ordered it; object = its slots, sysd's
			   * again to name in a fork order or to give, with value2 bytes of memory; 0: gone,
			   * others may have them mapped */
	MEMD_OPENED = 24, /* req, error, ticket */
	MEMD_DONE = 25,   /* req, error */
	MEMD_SLOTS = 26,  /* object, ticket (their memfd): a new set of slots, for a fork order to name.
			   * Ticket 0: those that sysd gave are gone; object 0: there are none to be had */
};

enum memd_open { MEMD_OPEN_MAPS = 1, MEMD_OPEN_SMAPS = 2, MEMD_OPEN_STATUS = 3, MEMD_OPEN_STAT = 4 };

struct memd_msg {
	uint8_t kind;
	int32_t error;
	uint32_t req;
	uint32_t cookie;
	uint32_t pid;
	uint32_t what;
	bool writable;
	uint64_t id, object, ticket, ticket2, value, value2;
	uint64_t args[6];
};

/* The descriptor numbers at which memd lends: what stands in the fd argument of an ordered mmap. */
#define MEMD_LEND_FD 4
#define MEMD_LEND_FD_END 12

#define MEMD_MSG_MAX 256

/* The size written or -EMSGSIZE. */
long memd_msg_encode(const struct memd_msg *m, void *buf, size_t size);
/* 0 or -EPROTO; *ret_msg is untouched on failure. Unknown kinds, missing and surplus fields, and
 * values out of range are refused. */
int memd_msg_decode(const void *buf, size_t size, struct memd_msg *ret_msg);

#endif
