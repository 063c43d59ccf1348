/* CTL_CONFIGURE: the mount tree of the container, its names, and the task that will be pid 1, which
 * has every capability while the tree is built. */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/ctl/internal.h"
#include "services/sysd/fs/gofer/gofer.h"
#include "services/sysd/fs/overlay/overlay.h"
#include "services/sysd/sys/limits.h"
#include "services/sysd/task/cred.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/internal.h"
#include "services/sysd/vfs/mount.h"
#include "services/sysd/vfs/namei.h"

#define ALL_CAPS ((1ull << 41) - 1)

static unsigned mnt_flags_of(uint64_t ms)
{
	static const struct {
		uint64_t ms;
		unsigned mnt;
	} map[] = {
		{MS_RDONLY, MNT_READONLY}, {MS_NOSUID, MNT_NOSUID}, {MS_NODEV, MNT_NODEV},
		{MS_NOEXEC, MNT_NOEXEC}, {MS_NOATIME, MNT_NOATIME}, {MS_NODIRATIME, MNT_NODIRATIME},
		{256 /* MS_NOSYMFOLLOW */, MNT_NOSYMFOLLOW},
	};
	unsigned flags = ms & (MS_NOATIME | MS_STRICTATIME) ? 0 : MNT_RELATIME;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (ms & map[i].ms)
			flags |= map[i].mnt;
	return flags;
}

/* The file system behind a source of fsd, with its overlay when it has one. */
static int open_gofer(const struct ctl_mount *m, struct super_block **ret)
{
	const struct gofer_options opt = {
		.readonly = m->overlay || (m->flags & MS_RDONLY),
		.shared = m->shared,
		.attr_timeout_ms = m->shared ? 1 : 0,
	};
	struct super_block *lower, *top;
	int r = gofer_mount((uint32_t)m->index, &opt, &lower);

	if (r < 0)
		return r;
	if (!m->overlay) {
		*ret = lower;
		return 0;
	}
	r = overlay_mount(&lower, 1, 0, &top);
	super_unref(lower);
	if (r == 0)
		*ret = top;
	return r;
}

static int make_init(struct vfsmount *root, const struct ctl_config *c, struct ctl_error *e)
{
	struct path place = {.mnt = root, .dentry = root->root};
	struct cred *cred = calloc(1, sizeof(*cred));
	struct task *t;

	if (!cred)
		return ctl_fail(e, -ENOMEM, "no memory for pid 1");
	cred->refs = 1;
	cred->cap_permitted = cred->cap_effective = cred->cap_bset = ALL_CAPS;
	t = task_create_init(cred);
	cred_unref(cred);
	if (!t)
		return ctl_fail(e, -ENOMEM, "no memory for pid 1");
	t->ns->mnt = mnt_ns_new(root);
	t->fs = fs_struct_new(&place, &place);
	if (!t->ns->mnt || !t->fs)
		return ctl_fail(e, -ENOMEM, "no memory for pid 1");
	t->fs->umask = 0;
	snprintf(t->ns->uts->hostname, sizeof(t->ns->uts->hostname), "%s", c->hostname);
	if (c->domainname)
		snprintf(t->ns->uts->domainname, sizeof(t->ns->uts->domainname), "%s", c->domainname);
	sandbox.init = t;
	return 0;
}

static int mount_root(const struct ctl_config *c, struct ctl_error *e)
{
	const struct ctl_mount *m = &c->mounts[0];
	struct super_block *sb;
	struct vfsmount *root;
	int r;

	if (c->mount_count == 0 || strcmp(m->target, "/") != 0 || m->index < 0)
		return ctl_fail(e, -EINVAL, "the first mount must be the root");
	r = open_gofer(m, &sb);
	if (r < 0)
		return ctl_fail(e, r, "root %s: %s", m->source, strerror(-r));
	root = mnt_new(sb, sb->root, mnt_flags_of(m->flags), m->overlay ? "overlay" : m->source);
	super_unref(sb);
	if (!root)
		return ctl_fail(e, -ENOMEM, "root %s", m->source);
	return make_init(root, c, e);
}

static const char *fs_type_name(const struct ctl_mount *m)
{
	if (!strncmp(m->type, "cgroup", 6) && !fs_type_find(m->type)) {
		/* programs look for the folder; what would be in it has no meaning in a sandbox */
		return fs_type_find("cgroup2") ? "cgroup2" : "tmpfs";
	}
	if (!strcmp(m->type, "ramfs") && !fs_type_find("ramfs"))
		return "tmpfs";
	return m->type;
}

static int fill_dev(struct task *t)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} nodes[] = {
		{"/dev/null", 1, 3}, {"/dev/zero", 1, 5}, {"/dev/full", 1, 7}, {"/dev/random", 1, 8},
		{"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
	};
	static const char *const links[][2] = {
		{"/dev/fd", "/proc/self/fd"}, {"/dev/stdin", "/proc/self/fd/0"},
		{"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
		{"/dev/ptmx", "pts/ptmx"}, {"/dev/core", "/proc/kcore"},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(nodes) && r == 0; i++)
		r = tree_mknod(t, nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor));
	for (size_t i = 0; i < ARRAY_SIZE(links) && r == 0; i++)
		r = tree_symlink(t, links[i][0], links[i][1]);
	return r;
}

/* Takes a word out of a list with commas. */
static bool take_option(char *data, const char *word)
{
	size_t n = strlen(word);

	for (char *s = data; (s = strstr(s, word)); s += n) {
		if ((s > data && s[-1] != ',') || (s[n] && s[n] != ','))
			continue;
		if (s[n] == ',')
			memmove(s, s + n + 1, strlen(s + n + 1) + 1);
		else
			*(s > data ? s - 1 : s) = 0;
		return true;
	}
	return false;
}

static int mount_new(struct task *t, const struct ctl_mount *m, const struct path *at, struct ctl_error *e)
{
	const char *type = fs_type_name(m);
	CLEANUP_FREE char *data = NULL;
	struct copy *copy = NULL;
	int r = 0;

	/* as runc: a tmpfs over a folder has the folder's mode, unless it is given one */
	if (!strcmp(type, "tmpfs") && (!m->data || !strstr(m->data, "mode="))) {
		if (asprintf(&data, "%s%smode=%o", m->data ? m->data : "", m->data ? "," : "",
			     at->dentry->inode->mode & 07777) < 0)
			return -ENOMEM;
	} else if (m->data) {
		data = strdup(m->data);
		if (!data)
			return -ENOMEM;
	}
	if (data && !strcmp(type, "tmpfs") && take_option(data, "tmpcopyup")) {
		r = copy_read(t, m->target, &copy);
		if (r < 0)
			return ctl_fail(e, r, "reading %s, which a tmpfs is to begin with: %s", m->target, strerror(-r));
	}
	r = mnt_mount_new(t->ns->mnt, at, type, m->source, strcmp(type, m->type) || !data || !data[0] ? NULL : data,
			  (unsigned)(m->flags & (MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC)), mnt_flags_of(m->flags));
	if (r == 0 && copy)
		r = copy_write(t, copy);
	copy_free(copy);
	return r;
}

/* As the last step of a mount, of the mount on top at `target`. */
static int set_propagation(struct task *t, const struct ctl_mount *m)
{
	unsigned type = (unsigned)m->flags & (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE);
	struct path p;
	int r;

	if (!type || (type & (type - 1)))
		return type ? -EINVAL : 0;
	r = path_lookup(t, AT_FDCWD, m->target, LOOKUP_FOLLOW, &p);
	if (r < 0)
		return r;
	mnt_set_propagation(p.mnt, type, false);
	path_put(&p);
	return 0;
}

static int mount_one(struct task *t, const struct ctl_mount *m, struct ctl_error *e)
{
	struct path at;
	int r = m->file ? tree_mkfile(t, m->target) : tree_mkdirs(t, m->target);

	if (r < 0)
		return ctl_fail(e, r, "mount point %s: %s", m->target, strerror(-r));
	r = path_lookup(t, AT_FDCWD, m->target, LOOKUP_FOLLOW, &at);
	if (r < 0)
		return ctl_fail(e, r, "mount point %s: %s", m->target, strerror(-r));
	if (m->index >= 0) {
		struct super_block *sb;

		r = open_gofer(m, &sb);
		if (r == 0) {
			r = mnt_attach(t->ns->mnt, sb, &at, mnt_flags_of(m->flags), m->source);
			super_unref(sb);
		}
	} else {
		r = mount_new(t, m, &at, e);
	}
	path_put(&at);
	if (r == 0 && !strcmp(m->target, "/dev") && !strcmp(m->type, "tmpfs"))
		r = fill_dev(t);
	if (r == 0)
		r = set_propagation(t, m);
	if (r < 0 && !e->text[0])
		ctl_fail(e, r, "mounting %s (%s): %s", m->target, m->type, strerror(-r));
	return r;
}

static int mask(struct task *t, const char *name)
{
	struct path at, null;
	int r = path_lookup(t, AT_FDCWD, name, LOOKUP_FOLLOW, &at);

	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	if (S_ISDIR(at.dentry->inode->mode)) {
		r = mnt_mount_new(t->ns->mnt, &at, "tmpfs", "tmpfs", "size=0k", MS_RDONLY, MNT_READONLY);
	} else {
		r = null_path(t, &null);
		if (r == 0) {
			r = mnt_bind(t->ns->mnt, &null, &at, false);
			path_put(&null);
		}
	}
	path_put(&at);
	return r;
}

static int make_readonly(struct task *t, const char *name)
{
	struct path at;
	int r = path_lookup(t, AT_FDCWD, name, LOOKUP_FOLLOW, &at);

	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	r = mnt_bind(t->ns->mnt, &at, &at, true);
	path_put(&at);
	if (r < 0)
		return r;
	/* what a lookup finds now is the mount on top */
	r = path_lookup(t, AT_FDCWD, name, LOOKUP_FOLLOW, &at);
	if (r < 0)
		return r;
	r = mnt_set_flags(at.mnt, at.mnt->flags | MNT_READONLY);
	path_put(&at);
	return r;
}

static int set_sysctl(struct task *t, const char *line, struct ctl_error *e)
{
	char path[512];
	const char *equals = strchr(line, '=');
	int r;

	if (!equals || strstr(line, "..") ||
	    (size_t)snprintf(path, sizeof(path), "/proc/sys/%.*s", (int)(equals - line), line) >= sizeof(path))
		return ctl_fail(e, -EINVAL, "linux.sysctl: malformed \"%s\"", line);
	for (char *s = path + 10; *s; s++)
		if (*s == '.')
			*s = '/';
	r = tree_write(t, path, equals + 1);
	if (r == -ENOENT && !strncmp(line, "net.", 4)) {
		log_warn("linux.sysctl: %.*s is not one of this kernel's", (int)(equals - line), line);
		return 0;
	}
	return r < 0 ? ctl_fail(e, r, "linux.sysctl: %s: %s", path, strerror(-r)) : 0;
}

static int make_device(struct task *t, const struct ctl_device *d)
{
	struct inode_attr attr = {.valid = ATTR_UID | ATTR_GID | ATTR_MODE, .uid = d->uid, .gid = d->gid,
					.mode = d->mode};
	CLEANUP_FREE char *dir = strdup(d->path);
	char *slash = dir ? strrchr(dir, '/') : NULL;
	struct path p;
	int r = dir ? 0 : -ENOMEM;

	if (slash && slash != dir) {
		*slash = 0;
		r = tree_mkdirs(t, dir);
	}
	if (r == 0)
		r = tree_mknod(t, d->path, d->mode, makedev(d->major, d->minor));
	if (r == 0)
		r = path_lookup(t, AT_FDCWD, d->path, 0, &p);
	if (r < 0)
		return r;
	r = vfs_setattr(p.dentry, &attr, false);
	path_put(&p);
	return r;
}

int do_configure(const struct ctl_config *c, struct ctl_error *e)
{
	struct task *t;
	int r;

	if (sandbox.configured)
		return ctl_fail(e, -EBUSY, "the sandbox is configured already");
	limits_set(&c->limits);
	r = mount_root(c, e);
	if (r < 0)
		return r;
	t = sandbox.init;
	for (size_t i = 1; i < c->mount_count; i++) {
		r = mount_one(t, &c->mounts[i], e);
		if (r < 0)
			return r;
	}
	sched_current()->task = t; /* whose namespaces a setting is about */
	for (size_t i = 0; i < c->sysctl.count && r == 0; i++)
		r = set_sysctl(t, c->sysctl.v[i], e);
	sched_current()->task = NULL;
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->device_count; i++) {
		r = make_device(t, &c->devices[i]);
		if (r < 0)
			return ctl_fail(e, r, "linux.devices: %s: %s", c->devices[i].path, strerror(-r));
	}
	for (size_t i = 0; i < c->readonly.count; i++) {
		r = make_readonly(t, c->readonly.v[i]);
		if (r < 0)
			return ctl_fail(e, r, "linux.readonlyPaths: %s: %s", c->readonly.v[i], strerror(-r));
	}
	for (size_t i = 0; i < c->masked.count; i++) {
		r = mask(t, c->masked.v[i]);
		if (r < 0)
			return ctl_fail(e, r, "linux.maskedPaths: %s: %s", c->masked.v[i], strerror(-r));
	}
	/* last, or what is mounted beneath a shared root would be shared too */
	r = set_propagation(t, &c->mounts[0]);
	if (r < 0)
		return ctl_fail(e, r, "linux.rootfsPropagation: %s", strerror(-r));
	sandbox.configured = true;
	return 0;
}
