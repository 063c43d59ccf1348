/* The messages between sysd and fsd, on their ring: one CBOR array each, in the order of the section
 * fsd of sbx.cddl. One table says which fields an operation has; encoder, decoder and the fuzz corpus
 * follow from it. Decoders reject what the table does not name. Strings in a decoded message point into
 * the message.
 *
 * Only directories have node ids (and files that lost their last name while in use); everything else is
 * addressed as a name in a directory, so that fsd keeps no state for it. Names are single components:
 * no paths, no "..". Where a name may be empty, the node itself is meant. A descriptor that belongs to a
 * reply is sent on the pass socket before the reply, with the request id as ticket. */
#ifndef SBX_IPC_MSG_FSD_H
#define SBX_IPC_MSG_FSD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>
#include "common/cbor/cursor.h"

#define FSD_MOUNTS_MAX 256
#define FSD_WALK_MAX 16          /* names in one walk */
#define FSD_FORGET_MAX 512       /* nodes in one forget */
#define FSD_NAME_MAX 255
#define FSD_TARGET_MAX 4096
#define FSD_VALUE_MAX 65536
#define FSD_READDIR_MAX (120 * 1024u) /* bytes of a readdir reply */

/* Mount sources, from the launcher on FSD_FD_LAUNCH_PASS: one O_PATH directory or file descriptor each,
 * with this ticket; the launcher closes its end when there are no more. */
#define FSD_MOUNT_RDONLY 1u
#define FSD_MOUNT_XDEV 2u        /* mounts beneath the source are part of it (never pseudo file systems) */
#define FSD_MOUNT_TICKET(index, flags) ((uint64_t)(flags) << 32 | (uint32_t)(index))
/* For the debug log: a file with the sources' paths on the host, each ended by NUL, in the order of their index. It comes
 * before the sources. */
#define FSD_PATHS_TICKET (1ull << 63)
#define FSD_TICKET_INDEX(t) ((uint32_t)(t))
#define FSD_TICKET_FLAGS(t) ((uint32_t)((t) >> 32))

enum fsd_op {
	FSD_ATTACH = 1, FSD_WALK, FSD_GETATTR, FSD_SETATTR, FSD_OPEN, FSD_CREATE, FSD_MKDIR, FSD_MKNOD,
	FSD_SYMLINK, FSD_READLINK, FSD_LINK, FSD_UNLINK, FSD_RMDIR, FSD_RENAME, FSD_READDIR, FSD_STATFS,
	FSD_GETXATTR, FSD_SETXATTR, FSD_LISTXATTR, FSD_REMOVEXATTR, FSD_FSYNC, FSD_TMPFILE, FSD_FORGET,
	FSD_SYNC, FSD_POOL, FSD_BIRTH, FSD_WATCH, FSD_UNWATCH, FSD_CONNECT,
	FSD_OP_COUNT
};

struct fsd_time {
	int64_t sec;
	uint32_t nsec;
};

/* struct fsd_attr.flags: what makes a change fail that permissions allow */
#define FSD_ATTR_FIXED 1u        /* immutable or append-only on the host */
#define FSD_ATTR_INNER 2u        /* on another mount than the source's root */
#define FSD_ATTR_ALL 3u

struct fsd_attr {
	uint32_t mode, uid, gid, nlink, blksize, flags;
	uint64_t dev, ino, rdev, size, blocks;
	struct fsd_time atime, mtime, ctime, btime;
};

struct fsd_str {
	const char *data; /* not terminated */
	size_t size;
};

/* struct fsd_req.valid of a setattr */
#define FSD_SET_MODE 1u
#define FSD_SET_UID 2u
#define FSD_SET_GID 4u
#define FSD_SET_SIZE 8u
#define FSD_SET_ATIME 16u
#define FSD_SET_MTIME 32u
#define FSD_SET_ALL 63u

#define FSD_ATTACH_NEWS 1u       /* attach: raise the ring's news when somebody else changes the root directory */
#define FSD_WALK_OPEN 1u         /* walk: if the last is a regular file, a descriptor for reading comes along
				  * (the reply's flags say so) */
#define FSD_OPEN_WRITE 1u        /* open: a descriptor for reading and writing */
#define FSD_OPEN_FD 2u           /* create: send a descriptor for reading and writing */
#define FSD_DIR_ATTR 1u          /* readdir: attributes with each entry */
#define FSD_DIR_ATTR_DIRS 2u     /* readdir: attributes with entries that are directories */
#define FSD_SYNC_DATA 1u         /* fsync: fdatasync */
#define FSD_POOL_MAX FSD_WALK_MAX /* pool: files in one request */
#define FSD_BIRTH_MODE 1u        /* birth: the mode of the request is not that of the pool */
#define FSD_BIRTH_TOUCH 2u       /* birth: its times are mtime, or later when it was written to */
#define FSD_BIRTH_ALL 3u
#define FSD_WATCH_FD 1u          /* watch: the reply's descriptor is a new inotify instance */
/* What a watch reports; opening and reading do not change anything and are fsd's own daily work. */
#define FSD_WATCH_EVENTS                                                                                  \
	(IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MODIFY | IN_MOVE_SELF | \
	 IN_MOVED_FROM | IN_MOVED_TO)
/* unlink, rename: the file that loses its name is in use. If that was its last name, the reply has a
 * node that stands for it from now on (0 when fsd has no descriptor to spare). Beside the RENAME_*. */
#define FSD_KEEP 0x10000u

struct fsd_req {
	uint32_t op;
	uint64_t id;             /* echoed by the reply; the ticket of its descriptor */
	uint32_t mount;
	uint64_t node, node2;
	struct fsd_str name, name2; /* of node and of node2 */
	struct fsd_str xname, value;
	uint32_t mode, uid, gid, flags, valid;
	uint64_t rdev, size, cookie; /* cookie: unwatch: the watch descriptor */
	struct fsd_time atime, mtime;
	struct fsd_str names[FSD_WALK_MAX];
	size_t name_count;
	uint64_t *nodes;         /* forget: room for FSD_FORGET_MAX when decoding, or NULL */
	size_t node_count;
};

struct fsd_statfs {
	uint64_t bsize, blocks, bfree, bavail, files, ffree, namelen, frsize;
};

/* A reply without readdir's entries. err is a positive errno; fields are those of the table only when
 * it is 0 (walk: the nodes found before it). */
struct fsd_reply {
	uint32_t op;
	uint64_t id;
	uint32_t err, flags;
	uint64_t node, size, cookie; /* cookie: watch: the watch descriptor, more than 0 */
	struct fsd_attr attr;
	struct fsd_str value;    /* walk: where the last file found points to, if it is a symbolic link */
	struct fsd_statfs statfs;
	struct fsd_walked {      /* pool: the files made, nameless */
		uint64_t node;   /* 0: not a directory */
		struct fsd_attr attr;
	} walked[FSD_WALK_MAX];
	size_t walked_count;
};

#define FSD_READDIR_EOF 1u       /* reply flags */

/* Bytes written to buf, or -EMSGSIZE. -EINVAL: no such operation. */
long fsd_req_encode(const struct fsd_req *req, void *buf, size_t size);
/* 0 or -EPROTO. Names are checked: 1..255 bytes, no '/', no NUL, not "." or "..". When the op and id
 * could be read, they are set even on failure (id 0 otherwise), so that a reply can be sent. */
int fsd_req_decode(struct fsd_req *req, const void *buf, size_t size);
long fsd_reply_encode(const struct fsd_reply *rep, void *buf, size_t size);
int fsd_reply_decode(struct fsd_reply *rep, const void *buf, size_t size);
/* The op and id of any message, or -EPROTO. */
int fsd_peek(const void *buf, size_t size, uint32_t *ret_op, uint64_t *ret_id);
bool fsd_name_ok(const char *name, size_t size);

/* One directory entry of a readdir reply. has_attr: attr is set. */
struct fsd_dirent {
	struct fsd_str name;
	uint64_t ino, cookie;    /* cookie: where the next request goes on */
	uint32_t type;           /* DT_* */
	bool has_attr;
	struct fsd_attr attr;
};
/* Builds a readdir reply piece by piece. The header says the count last: it is patched in. */
struct fsd_dir_writer {
	struct cbor_w w;
	uint32_t count;
};
void fsd_dir_start(struct fsd_dir_writer *w, void *buf, size_t size);
/* false: it does not fit any more. */
bool fsd_dir_add(struct fsd_dir_writer *w, const struct fsd_dirent *e);
/* Puts the header before the entries; the message is at *ret_msg within buf. */
size_t fsd_dir_finish(struct fsd_dir_writer *w, uint64_t id, uint64_t node, uint64_t cookie,
		      uint32_t flags, uint8_t **ret_msg);

struct fsd_dir_reader {
	struct cbor_r r;
	uint32_t count, flags;
	uint64_t node, cookie;   /* of the directory read; where to go on */
};
/* A readdir reply with err 0. 0 or -EPROTO; a reply with an error is -err. */
int fsd_dir_open(struct fsd_dir_reader *r, const void *buf, size_t size);
/* 1: *ret_entry is set; 0: the end; -EPROTO. */
int fsd_dir_next(struct fsd_dir_reader *r, struct fsd_dirent *ret_entry);

#endif
