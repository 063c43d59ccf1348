/* Names of UNIX sockets: in the file system, and abstract ones in the network namespace. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/net/unix/unix.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fs_struct.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/namei.h"

int unix_addr_check(const struct sock_addr *addr)
{
	if (addr->size <= UNIX_PATH_OFF || addr->size > sizeof(struct abi_sockaddr_un))
		return -EINVAL;
	return addr->family == AF_UNIX ? 0 : -EINVAL;
}

/* Different types may have the same abstract name. */
static struct list *name_chain(struct net_ns *ns, const struct abi_sockaddr_un *un, size_t size, int type)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < size - UNIX_PATH_OFF; i++)
		h = (h ^ (uint8_t)un->path[i]) * 16777619u;
	return &ns->unix_names[(h ^ (unsigned)type) % UNIX_NAME_HASH];
}

static struct unix_addr *find_abstract(struct net_ns *ns, const struct abi_sockaddr_un *un, size_t size,
				       int type)
{
	struct unix_addr *a;

	LIST_FOR_EACH(a, name_chain(ns, un, size, type), node) {
		if (a->size == size && a->owner->s.type == type && !memcmp(&a->un, un, size))
			return a;
	}
	return NULL;
}

static struct unix_addr *addr_new(struct unix_sock *u, const struct abi_sockaddr_un *un, size_t size)
{
	struct unix_addr *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->refs = 1;
	a->owner = u;
	a->size = (uint16_t)size;
	memcpy(&a->un, un, MIN(size, sizeof(a->un)));
	list_init(&a->node);
	return a;
}

void unix_addr_unref(struct unix_addr *a)
{
	if (a && !--a->refs)
		free(a);
}

void unix_unbind(struct unix_sock *u)
{
	if (u->addr && u->addr->owner == u)
		list_del(&u->addr->node);
	if (u->path.dentry) {
		if (u->path.dentry->inode && u->path.dentry->inode->sock == u)
			u->path.dentry->inode->sock = NULL;
		path_put(&u->path);
	}
}

static void enter_abstract(struct unix_sock *u, struct unix_addr *a)
{
	list_add_tail(name_chain(u->s.ns, &a->un, a->size, u->s.type), &a->node);
	u->addr = a;
}

static int bind_abstract(struct unix_sock *u, const struct sock_addr *addr)
{
	struct unix_addr *a;

	if (find_abstract(u->s.ns, &addr->un, addr->size, u->s.type))
		return -EADDRINUSE;
	a = addr_new(u, &addr->un, addr->size);
	if (!a)
		return -ENOMEM;
	enter_abstract(u, a);
	return 0;
}

/* The name without what follows its NUL; sun_path need not have one. */
static size_t file_name(const struct sock_addr *addr, char name[sizeof(addr->un.path) + 1])
{
	size_t n = addr->size - UNIX_PATH_OFF;

	memcpy(name, addr->un.path, n);
	name[n] = 0;
	return strlen(name);
}

static int bind_path(struct unix_sock *u, struct task *t, const struct sock_addr *addr)
{
	struct abi_sockaddr_un un = {.family = AF_UNIX};
	char name[sizeof(un.path) + 1];
	uint32_t mode = 0777;
	struct unix_addr *a;
	struct path path;
	size_t n;
	int ret;

	n = file_name(addr, name);
	if (u->addr) { /* Linux makes the node first, so a taken name is reported first */
		if (path_lookup(t, AT_FDCWD, name, 0, &path))
			return -EINVAL;
		path_put(&path);
		return -EADDRINUSE;
	}
	memcpy(un.path, name, MIN(n + 1, sizeof(un.path)));
	a = addr_new(u, &un, UNIX_PATH_OFF + n + 1);
	if (!a)
		return -ENOMEM;
	if (u->s.file)
		mode = u->s.file->inode->mode & 07777;
	ret = vfs_mknod(t, AT_FDCWD, name, S_IFSOCK | (mode & ~t->fs->umask), 0, &path);
	if (ret) {
		unix_addr_unref(a);
		return ret == -EEXIST ? -EADDRINUSE : ret;
	}
	if (u->addr) { /* another thread was faster while we slept */
		path_put(&path);
		unix_addr_unref(a);
		return -EINVAL;
	}
	u->addr = a;
	u->path = path;
	path.dentry->inode->sock = u;
	return 0;
}

int unix_bind(struct socket *s, struct task *t, const struct sock_addr *addr)
{
	struct unix_sock *u = unix_sk(s);
	int ret;

	if (addr->size == UNIX_PATH_OFF && addr->family == AF_UNIX)
		return unix_autobind(u);
	ret = unix_addr_check(addr);
	if (ret)
		return ret;
	if (addr->un.path[0])
		return bind_path(u, t, addr);
	return u->addr ? -EINVAL : bind_abstract(u, addr);
}

/* Five hexadecimal digits, as unix(7) promises. */
int unix_autobind(struct unix_sock *u)
{
	struct net_ns *ns = u->s.ns;
	struct sock_addr addr = {.size = UNIX_PATH_OFF + 6};

	if (u->addr)
		return 0;
	addr.un.family = AF_UNIX;
	for (unsigned tries = 0; tries < 1u << 20; tries++) {
		char digits[9];

		snprintf(digits, sizeof(digits), "%05x", ns->unix_autobind++ & 0xfffff);
		addr.un.path[0] = 0;
		memcpy(addr.un.path + 1, digits, 5);
		if (bind_abstract(u, &addr) != -EADDRINUSE)
			return u->addr ? 0 : -ENOMEM;
	}
	return -ENOSPC;
}

int unix_find_inode(struct task *t, const struct sock_addr *addr, struct inode **ret)
{
	char name[sizeof(addr->un.path) + 1];
	struct path path;
	int err;

	if (!addr->un.path[0])
		return -ECONNREFUSED;
	file_name(addr, name);
	err = path_lookup(t, AT_FDCWD, name, LOOKUP_FOLLOW, &path);
	if (err)
		return err;
	err = inode_permission(path.dentry->inode, t, MAY_WRITE);
	if (!err)
		*ret = inode_ref(path.dentry->inode);
	path_put(&path);
	return err;
}

static int find_path(struct unix_sock *u, struct task *t, const struct sock_addr *addr,
		     struct unix_sock **ret)
{
	struct unix_sock *found;
	struct inode *inode;
	int err = unix_find_inode(t, addr, &inode);

	if (err)
		return err;
	found = S_ISSOCK(inode->mode) ? inode->sock : NULL;
	if (!found)
		err = -ECONNREFUSED;
	else if (found->s.type != u->s.type)
		err = -EPROTOTYPE;
	else
		*ret = unix_ref(found);
	inode_unref(inode);
	return err;
}

int unix_find(struct unix_sock *u, struct task *t, const struct sock_addr *addr, struct unix_sock **ret)
{
	struct unix_addr *a;

	if (addr->un.path[0])
		return find_path(u, t, addr, ret);
	a = find_abstract(u->s.ns, &addr->un, addr->size, u->s.type);
	if (!a)
		return -ECONNREFUSED;
	*ret = unix_ref(a->owner);
	return 0;
}
