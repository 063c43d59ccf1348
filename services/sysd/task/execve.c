/* execve(2), execveat(2): the arguments in, the file found and checked; services/sysd/exec makes the
 * image. */
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/exec/exec.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/internal.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/mount.h"
#include "services/sysd/vfs/namei.h"

#define MAX_ARG_STRING (32 * SBX_PAGE_SIZE) /* execve(2): MAX_ARG_STRLEN */
#define MAX_ARG_STRINGS 0x7fffffffu
#define ARGS_HARD_LIMIT (6ul << 20) /* 3/4 of the default stack limit */

/* Argument strings stand side by side as a rule, or all over a few pages of a shell's heap: guest memory is read by the
 * page, and some pages are kept. */
#define READER_PAGES 8u
struct reader {
	struct task *t;
	uint64_t base[READER_PAGES]; /* NO_PAGE: none is kept there */
	uint8_t page[READER_PAGES][SBX_PAGE_SIZE];
};
#define NO_PAGE 1u

static void reader_init(struct reader *r, struct task *t)
{
	r->t = t;
	for (unsigned i = 0; i < READER_PAGES; i++)
		r->base[i] = NO_PAGE;
}

static const uint8_t *reader_at(struct reader *r, uint64_t uaddr, size_t *ret_size)
{
	uint64_t base = uaddr & ~(uint64_t)(SBX_PAGE_SIZE - 1);
	unsigned at = (unsigned)(base / SBX_PAGE_SIZE) % READER_PAGES;

	if (r->base[at] != base) {
		r->base[at] = NO_PAGE;
		if (user_read(r->t, r->page[at], base, SBX_PAGE_SIZE))
			return NULL;
		r->base[at] = base;
	}
	*ret_size = SBX_PAGE_SIZE - (size_t)(uaddr - base);
	return r->page[at] + (uaddr - base);
}

/* A growing list of strings in one block, by offset until it is complete. */
struct strings {
	char *block;
	size_t used, room;
	size_t *offset;
	size_t count, count_room;
};

static int grow(struct strings *s, size_t more)
{
	char *p;

	if (s->used + more <= s->room)
		return 0;
	s->room = MAX(s->room * 2, ALIGN_UP(s->used + more, 4096ul));
	p = realloc(s->block, s->room);
	if (!p)
		return -ENOMEM;
	s->block = p;
	return 0;
}

static int add_string(struct strings *s, struct reader *r, uint64_t uaddr, size_t *budget)
{
	size_t start = s->used;

	if (s->count == s->count_room) {
		size_t *p = realloc(s->offset, (s->count_room = s->count_room * 2 + 32) * sizeof(*p));

		if (!p)
			return -ENOMEM;
		s->offset = p;
	}
	s->offset[s->count++] = start;
	for (;;) {
		size_t size, take;
		const uint8_t *p = reader_at(r, uaddr, &size), *nul;

		if (!p)
			return -EFAULT;
		nul = memchr(p, 0, size);
		take = nul ? (size_t)(nul - p) + 1 : size;
		if (take > *budget || s->used - start + take > MAX_ARG_STRING)
			return -E2BIG;
		if (grow(s, take))
			return -ENOMEM;
		memcpy(s->block + s->used, p, take);
		s->used += take;
		*budget -= take;
		if (nul)
			return 0;
		uaddr += take;
	}
}

/* Linux since 5.18: an empty argv becomes {""}. */
static int add_empty(struct strings *s)
{
	if (grow(s, 1))
		return -ENOMEM;
	s->offset = calloc(1, sizeof(*s->offset));
	if (!s->offset)
		return -ENOMEM;
	s->block[0] = 0;
	s->used = s->count = s->count_room = 1;
	return 0;
}

static int add_vector(struct strings *s, struct reader *r, uint64_t uvec, size_t *budget)
{
	if (!uvec)
		return 0; /* as an empty list (Linux does so, with a warning) */
	for (;;) {
		uint64_t uaddr = 0;
		size_t size;
		const uint8_t *p = reader_at(r, uvec, &size);
		int ret;

		if (!p)
			return -EFAULT;
		if (size >= 8)
			memcpy(&uaddr, p, 8);
		else if (user_get(r->t, uaddr, uvec))
			return -EFAULT;
		if (!uaddr)
			return 0;
		if (*budget < 8 || s->count >= MAX_ARG_STRINGS)
			return -E2BIG;
		*budget -= 8;
		ret = add_string(s, r, uaddr, budget);
		if (ret < 0)
			return ret;
		uvec += 8;
	}
}

static void strings_done(struct strings *s)
{
	free(s->block);
	free(s->offset);
}

static char **vector_of(const struct strings *s)
{
	char **v = calloc(s->count + 1, sizeof(*v));

	if (v)
		for (size_t i = 0; i < s->count; i++)
			v[i] = s->block + s->offset[i];
	return v;
}

static size_t args_limit(const struct task *t)
{
	uint64_t stack = t->signal->rlim[RLIMIT_STACK].rlim_cur / 4;

	return MAX(MIN(stack, ARGS_HARD_LIMIT), 32 * SBX_PAGE_SIZE);
}

/* do_open_execat: a regular file, on a mount that may execute, with an x bit for us, that nobody
 * writes. */
static int open_program(struct task *t, const struct path *p, struct file **ret)
{
	struct inode *inode = p->dentry->inode;
	int err;

	if (!S_ISREG(inode->mode) || (p->mnt && p->mnt->flags & MNT_NOEXEC))
		return -EACCES;
	err = inode_permission(inode, t, MAY_EXEC);
	if (err < 0)
		return err;
	if (inode->write_count > 0)
		return -ETXTBSY;
	return file_open_path(p, O_RDONLY, t->cred, ret);
}

static long do_execve(struct task *t, int dirfd, const char *name, uint64_t uargv, uint64_t uenvp,
		      unsigned at_flags)
{
	struct strings args = {0}, env = {0};
	struct reader *r = NULL;
	struct path path = {NULL, NULL};
	struct file *prog = NULL;
	char **argv = NULL, **envp = NULL;
	CLEANUP_FREE char *fdname = NULL;
	size_t budget = args_limit(t);
	unsigned lookup = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	long ret;

	if (at_flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	ret = path_lookup(t, dirfd, name, lookup, &path);
	if (ret < 0)
		goto out;
	if (S_ISLNK(path.dentry->inode->mode)) {
		ret = -ELOOP;
		goto out;
	}
	ret = open_program(t, &path, &prog);
	if (ret < 0)
		goto out;
	ret = -ENOMEM;
	if (dirfd != AT_FDCWD && name[0] != '/') {
		if (asprintf(&fdname, name[0] ? "/dev/fd/%d/%s" : "/dev/fd/%d", dirfd, name) < 0) {
			fdname = NULL;
			goto out;
		}
		name = fdname;
	}
	r = malloc(sizeof(*r));
	if (!r)
		goto out;
	reader_init(r, t);
	ret = add_vector(&args, r, uargv, &budget);
	if (!ret)
		ret = add_vector(&env, r, uenvp, &budget);
	if (!ret && !args.count)
		ret = add_empty(&args);
	if (ret < 0)
		goto out;
	argv = vector_of(&args);
	envp = vector_of(&env);
	ret = argv && envp ? exec_task(t, prog, name, argv, envp) : -ENOMEM;
out:
	free(argv);
	free(envp);
	free(r);
	strings_done(&args);
	strings_done(&env);
	if (prog)
		file_unref(prog);
	path_put(&path);
	return ret;
}

SYS_HANDLER(execve)
{
	CLEANUP_FREE char *name = NULL;
	int ret = user_read_path(t, a[0], &name);

	if (ret < 0)
		return ret;
	return do_execve(t, AT_FDCWD, name, a[1], a[2], 0);
}

SYS_HANDLER(execveat)
{
	CLEANUP_FREE char *name = NULL;
	int ret;

	if (a[4] & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	ret = user_read_path(t, a[1], &name);
	if (ret < 0)
		return ret;
	return do_execve(t, (int)a[0], name, a[2], a[3], (unsigned)a[4]);
}
