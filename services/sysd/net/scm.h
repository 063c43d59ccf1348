/* Socket-level control messages on the way from sender to receiver (SCM_RIGHTS, SCM_CREDENTIALS). */
#ifndef SYSD_NET_SCM_H
#define SYSD_NET_SCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct task;

/* Files in flight: each a reference. */
struct scm_fds {
	unsigned count;
	uint32_t uid;         /* whose account they are on */
	bool in_flight;       /* counted (net/unix/gc.c) */
	struct scm_fds *next; /* to be freed */
	struct file *file[];
};
struct scm {
	struct scm_fds *fds;  /* NULL: none */
	bool has_creds;       /* given by the sender */
	uint32_t pid, uid, gid; /* pid in the root pid namespace */
};

/* Parses control messages of level SOL_SOCKET out of `control`; others are skipped. Fills pid, uid, gid
 * with the sender's own when it gave none. 0, -EINVAL, -EBADF, -EPERM, -ESRCH, -ENOMEM. */
int scm_parse(struct task *t, const uint8_t *control, size_t size, struct scm *ret);
/* Only the sender's own credentials. */
void scm_self(struct task *t, struct scm *ret);
/* Drops what nobody took. May sleep (last references to files). */
void scm_done(struct scm *scm);
struct scm_fds *scm_fds_dup(const struct scm_fds *fds); /* MSG_PEEK */
/* Never nests: a socket among the files may hold messages with files in turn, as deep as a guest likes. */
void scm_fds_free(struct scm_fds *fds);

#endif
