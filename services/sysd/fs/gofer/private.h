/* What the files of gofer/ share. */
#ifndef SYSD_FS_GOFER_PRIVATE_H
#define SYSD_FS_GOFER_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "services/sysd/fs/gofer/client.h"
#include "services/sysd/vfs/dentry.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/namelist.h"

struct gofer_watch;
struct listing;
struct pool;

#define GOFER_HASH_MIN 256u

struct gofer_sb {
	uint32_t index;
	struct gofer_options opt;
	struct list *table;      /* inodes by (dev, ino) */
	unsigned table_size, inode_count;
	struct pool *pool;
	uint64_t room_ns;        /* when fsd last said that there is room */
	bool room_asked;
	int late_error;          /* of a change that nobody waited for, to be told once */
	struct super_block *sb;  /* doubt.c, of exclusive ones... */
	struct list node;        /* ...which are in its list */
	uint64_t doubt_ns, doubt_until_ns; /* since when, and how long, somebody else may be at work; 0: never yet */
};

/* A file of the host while sysd knows it (inode.priv). */
struct gofer_inode {
	struct inode *vfs;
	struct list hash_node;
	uint64_t dev, ino;       /* of the host */
	struct fsd_time btime;
	uint64_t node;           /* directories and nameless files: fsd's id, 0: not asked for yet */
	uint32_t node_epoch;
	uint32_t opens;          /* open file descriptions */
	uint32_t busy;           /* host calls under way on the descriptors */
	bool attr_stale;         /* the host changed times or size: ask before telling */
	bool pinned;             /* a descriptor was handed on (mmap): never closed while we live */
	bool mapped_write;       /* times change without our doing */
	bool unlinked;           /* its descriptors cannot be had again from another fsd */
	bool fixed;              /* the host lets nobody change it (chattr +i, +a) */
	bool inner;              /* on another mount than the root */
	uint32_t pending;        /* changes under way that nobody waits for... */
	uint32_t pending_attr;   /* ...of them, of times and mode */
	enum { XATTR_UNKNOWN, XATTR_NONE, XATTR_SOME } xattrs;
	uint64_t attr_ns;        /* shared mounts: when the attributes were true */
	uint64_t met_ns;         /* when it was first seen */
	int ro_fd, rw_fd;        /* donated, or -1 */
	uint64_t ro_object, rw_object; /* names of the two for memd */
	struct list lru;         /* in use of descriptors */
	struct gofer_watch *watch; /* watch.c; NULL: no guest watches it */
	uint32_t name_hash;      /* d_hash_name of the name by which it was opened for writing */
	struct listing *listing; /* directories */
	uint32_t misses;         /* directories: lookups that needed a request */
	/* directories, for prefetch.c: entries are counted from 1 */
	uint32_t walk_file, walk_dir; /* what was opened, read last */
	uint32_t window, asked;
	bool walked;             /* it was read as part of a walk */
};

static inline struct gofer_inode *gofer_i(const struct inode *inode)
{
	return inode->priv;
}
static inline struct gofer_sb *gofer_sb(const struct super_block *sb)
{
	return sb->priv;
}
/* The request for the root of a mount. */
static inline struct fsd_req gofer_attach_req(const struct super_block *sb)
{
	const struct gofer_sb *s = gofer_sb(sb);

	return (struct fsd_req){.op = FSD_ATTACH, .mount = s->index, .flags = s->opt.shared ? 0 : FSD_ATTACH_NEWS};
}
static inline bool gofer_shared(const struct inode *inode)
{
	return gofer_sb(inode->sb)->opt.shared;
}

/* inode.c */
extern const struct inode_ops gofer_dir_iops, gofer_file_iops, gofer_link_iops;
extern const struct file_ops gofer_file_fops, gofer_dir_fops;
/* The inode of attr, known or new, with a reference. NULL: no memory. */
struct inode *gofer_iget(struct super_block *sb, const struct fsd_attr *attr);
/* Is there an inode for this file already? */
bool gofer_known(struct super_block *sb, uint64_t dev, uint64_t ino);
/* That inode with a reference, or NULL. */
struct inode *gofer_find(struct super_block *sb, uint64_t dev, uint64_t ino);
/* Does the file with this number in dir's file system need no request to be opened for reading? */
bool gofer_has_fd(struct inode *dir, uint64_t ino);
void gofer_apply(struct inode *inode, const struct fsd_attr *attr);
bool gofer_same(const struct inode *inode, const struct fsd_attr *attr);
void gofer_evict(struct inode *inode);
int gofer_getattr(struct inode *inode);
int gofer_setattr(struct dentry *dentry, const struct inode_attr *attr);
int gofer_revalidate(struct dentry *dentry);
/* After a change of the data through fd: for the host sysd is nobody, so that it takes set-id bits away. Those
 * that the VFS left are set again. Sleeps. */
void gofer_keep_mode(struct dentry *d, int fd);

/* address.c: how a request names an inode. */
struct gofer_name {
	char data[FSD_NAME_MAX + 1];
	size_t size;
};
/* fsd's id of a directory, asked for if need be. Sleeps. */
int gofer_dir_node(struct inode *dir, uint64_t *ret_node);
/* Node and name of any inode. Sleeps. */
int gofer_address(struct inode *inode, uint64_t *ret_node, struct gofer_name *ret_name);
/* A request about an inode: fills in q's node and name; a stale node is resolved anew, once. */
int gofer_inode_call(struct inode *inode, struct gofer_call *c, struct fsd_req *q);
/* A request about a name in a directory (q->name is the caller's). */
int gofer_dir_call(struct inode *dir, struct gofer_call *c, struct fsd_req *q);
/* For callers that address a request themselves: was that the last word? Otherwise the call is done with
 * and q goes out once more, addressed anew. inode: what the nodes were asked for. */
struct gofer_attempt {
	unsigned stale, losses, removed;
};
bool gofer_again(struct gofer_attempt *a, struct inode *inode, struct gofer_call *c, const struct fsd_req *q,
		 int *ret);
/* The answer to a request that was sent a second time: what fails because it has been done is done. */
int gofer_was_done(const struct fsd_req *q, int ret);
/* The name that leads to an inode: an alias that is still in its directory, or NULL. */
struct dentry *gofer_alias(const struct inode *inode);
void gofer_set_node(struct inode *inode, uint64_t node);
void gofer_drop_nodes(struct inode *inode);
static inline struct fsd_str gofer_str(const struct dentry *d)
{
	return (struct fsd_str){d->name, d->name_size};
}

/* fds.c: donated descriptors. */
/* A descriptor for reading, or for reading and writing, that stays open while `busy` is raised: the
 * caller ends with gofer_put_fd. Sleeps. */
int gofer_get_fd(struct inode *inode, bool write);
/* The same, of the read-only descriptor: for what must not become writable. */
int gofer_get_ro_fd(struct inode *inode);
static inline void gofer_put_fd(struct inode *inode)
{
	gofer_i(inode)->busy--;
}
/* Takes a descriptor that came with a reply. */
void gofer_adopt_fd(struct inode *inode, int fd, bool write);
void gofer_close_fds(struct inode *inode);
void gofer_fds_init(void);

/* inode.c, after the death of fsd: another file of the host stands for inode from now on. */
void gofer_reborn(struct inode *inode, const struct fsd_attr *attr, int fd);
ssize_t gofer_listxattr(struct inode *inode, char *buf, size_t size);

/* later.c: a change that nobody waits for. */
struct later {
	struct list node;
	struct gofer_call call;
	/* cleared from here on */
	struct fsd_req q;
	struct inode *dir, *dir2;  /* q.node and q.node2; references */
	struct inode *inode, *target; /* what it is about, and what loses its name */
	void (*done)(struct later *l, const struct fsd_reply *rep); /* it has happened; must not sleep */
	uint64_t version;
	bool lost;
	char name[FSD_NAME_MAX + 1], name2[FSD_NAME_MAX + 1];
};
void later_init(void);
/* Can changes in dir be made without waiting? What depends on room: gofer_has_room too. */
static inline bool later_possible(const struct inode *dir)
{
	const struct gofer_inode *gi = gofer_i(dir);

	return !gofer_shared(dir) && !gi->fixed && !gi->inner;
}
/* One for changes in dir (and dir2, or NULL), with the nodes in its request; the caller fills in the rest
 * and posts or abandons it without sleeping. NULL: ask and wait instead. Sleeps. */
struct later *later_begin(struct inode *dir, struct inode *dir2);
/* Sends it; its names are copied. 0, or -errno: the caller still has it. */
int later_post(struct later *l, struct inode *inode, struct inode *target);
void later_abandon(struct later *l);
/* Waits until all that is under way about an inode has happened, or all changes of its attributes. */
void later_wait(const struct inode *inode);
void later_wait_attr(const struct inode *inode);
/* The error of an earlier change of the file system, once. */
int gofer_late_error(struct super_block *sb);
/* After a new connection: makes again what was not answered. Until then everybody else waits. */
void later_replay(void);
bool later_gate_closed(const struct strand *s);
void later_wait_gate(void);

/* pool.c: a new file for a create in dir (q: name, mode and owner) if one is at hand; a reference, its
 * name is on its way. NULL: ask and wait. Sleeps. */
struct inode *pool_create(struct inode *dir, const struct fsd_req *q);
void pool_free(struct super_block *sb);
int pool_rebirth(struct later *l, struct gofer_call *c);

/* super_ops.connect: a socket of the host in a bind mount. Sleeps. */
int gofer_connect_socket(struct inode *inode, int *ret_fd);

/* super.c: did fsd say lately that names and blocks are plenty? Asks, without waiting, when it did not. */
bool gofer_has_room(struct super_block *sb);

/* listing.c: what is known of a directory's content. */
/* Is dir known to have no entries? */
bool listing_known_empty(const struct inode *dir);
/* Is there a listing that has to be looked at again? */
bool listing_doubted(const struct inode *dir);
/* Makes sure that dir has a complete listing (shared mounts: a fresh one). 0 or -errno. Sleeps. */
int listing_load(struct inode *dir, bool fresh);
void listing_free(struct inode *dir);
/* A new directory is empty: no need to ask. */
void listing_new_empty(struct inode *dir);
struct namelist_entry *listing_find(struct listing *l, const char *name, size_t size);
/* NULL: attributes are not known. Each is given out once: then the inode is the truth. */
const struct fsd_attr *listing_take_attr(struct inode *dir, struct namelist_entry *e);
/* A lookup found an entry without attributes: after some, they are all fetched at once. True: it has
 * them now. Sleeps. */
bool listing_want_attr(struct inode *dir, const char *name, size_t size);
/* The same without giving them out. */
const struct fsd_attr *listing_peek_attr(const struct listing *l, const struct namelist_entry *e);
uint32_t listing_index(const struct listing *l, const struct namelist_entry *e);
/* Makes the listing from the reply of a readdir request, if that was all of it. */
bool listing_from_reply(struct inode *dir, const struct gofer_call *c, bool fat);
/* Should the next directory be asked for with all attributes? */
bool listing_fat_credit(void);
/* Our own changes (exclusive mounts). */
void listing_add(struct inode *dir, const char *name, size_t size, uint64_t ino, unsigned type);
void listing_remove(struct inode *dir, const char *name, size_t size);
uint64_t listing_size(const struct listing *l);
const struct namelist_entry *listing_at(const struct listing *l, uint64_t i, const char **ret_name);


/* doubt.c: somebody else changes an exclusive mount. */
void doubt_add(struct super_block *sb);
void doubt_remove(struct super_block *sb);
/* Something hints at it. */
void doubt_all(void);
/* Is what was true at `stamp` (clock_mono_ns) to be looked at again? */
bool doubt_since(const struct super_block *sb, uint64_t stamp);
/* super_ops.revalidate from the first doubt on. */
int doubt_revalidate(struct dentry *dentry);
extern const struct super_ops gofer_doubted_sops; /* super.c */

/* watch.c: events for what the host does. */
/* super_ops.watch and unwatch. */
int gofer_watch(struct inode *inode);
void gofer_unwatch(struct inode *inode);
/* After a new connection: asks for all watches again. */
void gofer_watch_reconnect(void);
/* Reads what the host has queued, and tells the guest. */
void gofer_watch_read(void);
/* The host's watches report changes of our own too; what is announced here is not reported twice. Any number of
 * changes are under way; one takes the stack of its strand. */
struct gofer_own {
	struct list node;
	bool active;
	unsigned count;
	struct gofer_own_event {
		struct inode *inode;
		const char *name;  /* of an entry of `inode`, or NULL: the inode itself, and its entries */
		uint32_t mask, seen; /* IN_*: what may come, and what came */
		uint32_t hash;
		bool no_name;      /* what its entry is called is known by `hash` alone */
	} event[6];
};
extern bool gofer_watching; /* is anything watched at all? */
void own_start(struct gofer_own *o);
void own_finish(struct gofer_own *o, int ret);
static inline void own_begin(struct gofer_own *o)
{
	o->active = false;
	o->count = 0;
	if (unlikely(gofer_watching))
		own_start(o);
}
/* An entry of a directory, and an inode (NULL: none), that are about to change. `d` keeps its name until the end. */
void own_entry(struct gofer_own *o, struct inode *dir, const struct dentry *d, uint32_t mask);
void own_inode(struct gofer_own *o, struct inode *inode, uint32_t mask);
/* The change was made (ret >= 0) or not. */
static inline void own_end(struct gofer_own *o, long ret)
{
	if (unlikely(o->active))
		own_finish(o, ret < 0 ? -1 : 0);
}
#define OWN_MADE (IN_CREATE | IN_ATTRIB | IN_MODIFY | IN_CLOSE_WRITE) /* a new entry; fsd dresses it */
#define OWN_ATTR (IN_ATTRIB | IN_MODIFY | IN_CLOSE_WRITE) /* fsd may have to open the file for it */

/* prefetch.c */
void prefetch_after_open(struct dentry *d);
void prefetch_after_readdir(struct dentry *d);
/* Waits for what was asked about this file already, if anything was. */
void prefetch_wait(struct inode *dir, uint64_t ino);
void prefetch_forget(struct super_block *sb);

#endif
