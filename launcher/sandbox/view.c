/* What a tool meets that enters the mount namespace of the pid in the container's state, as `podman cp` into a running container
 * and `nsenter -m` do: with any other runtime that process is the container's, and what is written there goes into the container.
 * Ours is the supervisor. So it moves into a mount namespace which has the container's root and bind mounts and nothing of the
 * host, while its own root directory stays the host's: a path of its own is looked up from there, and setns(2) takes whoever joins
 * to the root of the namespace. File systems of sysd (proc, dev, tmpfs) cannot be had there; an empty read-only folder stands
 * in their place, so that nobody writes beneath them. */
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "launcher/sandbox/sandbox.h"

static int clone_tree(const char *path, bool recursive, bool readonly)
{
	unsigned deep = recursive ? AT_RECURSIVE : 0;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					      (readonly ? MOUNT_ATTR_RDONLY : 0)};
	CLEANUP_CLOSE int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | deep);

	if (fd < 0 || syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | deep, &attr, sizeof(attr)) < 0)
		return -errno;
	return STEAL_FD(fd);
}

/* A detached copy of what is mounted there, or -errno. */
static int open_view(const struct sandbox *sb, const struct ctl_mount *m)
{
	char empty[PATH_MAX];

	if (m->index >= 0 && (size_t)m->index < sb->spec->source_count) {
		const struct spec_source *src = &sb->spec->sources[m->index];

		return clone_tree(src->path, src->recursive,
				  src->readonly || m->overlay || (m->flags & MS_RDONLY) != 0);
	}
	if (m->file)
		return -ENOTDIR;
	snprintf(empty, sizeof(empty), "%s/empty", sb->state->dir);
	return clone_tree(empty, false, true);
}

static int attach(int tree, int at, const char *path)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH);

	return syscall(SYS_move_mount, tree, "", at, path, flags) < 0 ? -errno : 0;
}

/* The root is the image's: a target is resolved beneath it. One that the root lacks is left out. */
static void attach_beneath(int root, int tree, const char *target)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	CLEANUP_CLOSE int at = (int)syscall(SYS_openat2, root, target, &how, sizeof(how));
	int r = at < 0 ? -errno : attach(tree, at, "");

	if (r < 0)
		log_debug("%s is not seen from the supervisor's mount namespace: %s", target, strerror(-r));
}

static int build(int *trees, size_t count, const struct ctl_mount *mounts)
{
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	r = attach(trees[0], AT_FDCWD, "/");
	for (size_t i = 1; r == 0 && i < count; i++)
		if (trees[i] >= 0)
			attach_beneath(trees[0], trees[i], mounts[i].target);
	if (r < 0 || fchdir(trees[0]) < 0)
		return r < 0 ? r : -errno;
	/* The host's mounts go from this namespace, or it would keep them. Where the host's root is the first of all (an initramfs),
	 * they stay beneath, out of reach of who joins. */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return errno == EINVAL ? 0 : -errno;
	return umount2(".", MNT_DETACH) < 0 ? -errno : 0;
}

static int back_to(int root, int cwd)
{
	return fchdir(root) < 0 || chroot(".") < 0 || fchdir(cwd) < 0 ? -errno : 0;
}

int view_enter(struct sandbox *sb, struct err *e)
{
	const struct ctl_config *c = sb->spec->config;
	/* of the host's namespace, which descriptors keep */
	CLEANUP_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FREE int *trees = calloc(c->mount_count + 1, sizeof(*trees));
	int r;

	if (!trees || root < 0 || cwd < 0)
		return err_sys(e, ENOMEM, "the container's view");
	for (size_t i = 0; i < c->mount_count; i++)
		trees[i] = open_view(sb, &c->mounts[i]);
	r = c->mount_count == 0 ? -EINVAL : trees[0] < 0 ? trees[0] : build(trees, c->mount_count, c->mounts);
	if (r == 0)
		r = back_to(root, cwd);
	for (size_t i = 0; i < c->mount_count; i++)
		if (trees[i] >= 0)
			close(trees[i]);
	return r < 0 ? err_sys(e, -r, "a mount namespace with the container's files for the supervisor") : 0;
}
