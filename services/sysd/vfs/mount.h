/* Mounts and mount namespaces. */
#ifndef SYSD_VFS_MOUNT_H
#define SYSD_VFS_MOUNT_H

#include "services/sysd/core/waitq.h"
#include "services/sysd/vfs/dentry.h"

struct fs_type;
struct task;

struct vfsmount {
	unsigned refs;
	struct super_block *sb;      /* a reference */
	struct dentry *root;         /* of this mount; may be below sb->root (bind) */
	struct vfsmount *parent;
	struct dentry *mountpoint;   /* in parent; NULL for the namespace's root */
	struct list children, child_node, ns_node, hash_node;
	unsigned flags;              /* MNT_* */
#define MNT_READONLY 1u
#define MNT_NOSUID 2u
#define MNT_NODEV 4u
#define MNT_NOEXEC 8u
#define MNT_NOATIME 16u
#define MNT_NODIRATIME 32u
#define MNT_RELATIME 64u
#define MNT_NOSYMFOLLOW 128u
	int id;
	int propagation;             /* MS_SHARED, MS_SLAVE, MS_UNBINDABLE or MS_PRIVATE: recorded */
	int peer_group, master_group; /* shared:N as in mountinfo */
	char *source;
	struct mnt_ns *ns;           /* NULL: detached */
	bool expire_mark;            /* MNT_EXPIRE was asked once */
};

struct mnt_ns {
	unsigned refs;
	struct vfsmount *root;
	struct list mounts;          /* vfsmount.ns_node, in order of mounting */
	unsigned count;              /* of mounts */
	uint64_t id, event;          /* event counts changes, for poll on /proc/mounts */
	struct waitq poll;
};

/* A detached mount of `root` (references are taken); NULL: no memory. */
struct vfsmount *mnt_new(struct super_block *sb, struct dentry *root, unsigned flags, const char *source);
/* The mount on top of this place in its parent mount, or NULL; no reference. */
struct vfsmount *mnt_lookup(const struct vfsmount *parent, const struct dentry *mountpoint);
struct vfsmount *mnt_ref(struct vfsmount *m);
void mnt_unref(struct vfsmount *m);
/* What is mounted on this path, the topmost; *path is replaced (references move). */
void mnt_follow(struct path *path);
/* From the root of a mount to its mountpoint; false at the namespace's root. */
bool mnt_follow_up(struct path *path);

/* A namespace with this root; takes the reference. NULL: no memory (the reference stays). */
struct mnt_ns *mnt_ns_new(struct vfsmount *root);
/* A copy of all mounts; root and working directory of t (whose fs is its own) move to the copies. */
struct mnt_ns *mnt_ns_dup(struct mnt_ns *ns, struct task *t);
struct mnt_ns *mnt_ns_ref(struct mnt_ns *ns);
void mnt_ns_unref(struct mnt_ns *ns);

/* Mount operations on resolved paths, without permission checks (the launcher's configuration and
 * sys_mount use them). flags are MNT_*. Sleep. */
int mnt_mount_new(struct mnt_ns *ns, const struct path *at, const char *fstype, const char *source,
		  const char *data, unsigned sb_flags, unsigned mnt_flags);
int mnt_bind(struct mnt_ns *ns, const struct path *from, const struct path *at, bool recursive);
int mnt_attach(struct mnt_ns *ns, struct super_block *sb, const struct path *at, unsigned mnt_flags,
	       const char *source);
/* Moves an attached or detached mount (with what is below it) to another place. */
int mnt_move(struct mnt_ns *ns, struct vfsmount *m, const struct path *at);
/* A copy of a mount (recursive: and of those below `root`), not attached; NULL: no memory. */
struct vfsmount *mnt_clone_tree(struct vfsmount *from, struct dentry *root, bool recursive);
/* Drops a tree that was never attached, or was taken off. */
void mnt_detach_tree(struct vfsmount *m);
/* old: the mount whose root is the caller's root. */
int mnt_pivot_root(struct mnt_ns *ns, struct vfsmount *old, const struct path *new_root,
		   const struct path *put_old);
/* type: MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE. */
void mnt_set_propagation(struct vfsmount *m, unsigned type, bool recursive);
/* Next mount in the tree below top, in order; NULL at the end. */
struct vfsmount *mnt_next(struct vfsmount *m, struct vfsmount *top);
/* The caller holds one reference on m, from its lookup. */
int mnt_umount(struct mnt_ns *ns, struct vfsmount *m, int flags);
int mnt_set_flags(struct vfsmount *m, unsigned flags);

#endif
