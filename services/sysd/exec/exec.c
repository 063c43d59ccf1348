/* execve(2) from an opened file on: find what runs it, build the image in a blank process, hand it
 * to the task. */
#include "services/sysd/exec/exec.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "services/sysd/exec/elf.h"
#include "services/sysd/exec/image.h"
#include "services/sysd/exec/script.h"
#include "services/sysd/exec/stack.h"
#include "services/sysd/mm/internal.h"
#include "services/sysd/mm/memd_client.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/task/exec.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/mount.h"
#include "services/sysd/vfs/namei.h"

#define SCRIPT_DEPTH_MAX 5
#define PIE_BASE 0x555555554000ull
#define PIE_RANDOM_PAGES (1ull << 28)
#define BRK_RANDOM_PAGES 0x2000ull
#define STACK_EXTRA (128 * 1024ull)
#define STACK_SPREAD (10ull << 30)
#define R_SPACE (2ull << 30)
#define DEFAULT_STACK_LIMIT (8ull << 20)

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

struct exec {
	struct task *t;
	struct file *file;          /* the program, after scripts; a reference */
	struct file *interp_file;   /* PT_INTERP; a reference or NULL */
	struct elf_image image, interp;
	char **argv;                /* owned array; strings owned in `owned` */
	size_t argc;
	char *owned[2 * SCRIPT_DEPTH_MAX];
	unsigned owned_count;
	const char *name;
	char *const *envp;

	struct cred *cred;
	bool secure;
	struct hprocess *hp;
	struct hthread *ht;
	struct mm *mm;
	uint64_t bias, interp_bias;
	struct exec_stack stack;
	struct image_plan plan;
	struct image_file files[2];
};

static uint64_t random_u64(void)
{
	uint64_t r = 0;

	(void)!getrandom(&r, sizeof(r), 0);
	return r;
}

/* A program that another one names: a script's or a dynamic program's interpreter. */
static int open_program(struct task *t, const char *name, struct file **ret)
{
	struct path path;
	struct inode *inode;
	int err = path_lookup(t, AT_FDCWD, name, LOOKUP_FOLLOW, &path);

	if (err)
		return err;
	inode = path.dentry->inode;
	err = !inode ? -ENOENT : !S_ISREG(inode->mode) || path.mnt->flags & MNT_NOEXEC ? -EACCES : 0;
	if (!err)
		err = inode_permission(inode, t, MAY_EXEC);
	if (!err)
		err = file_open_path(&path, O_RDONLY, t->cred, ret);
	path_put(&path);
	return err;
}

static ssize_t read_file(void *ctx, void *buf, size_t size, uint64_t off)
{
	return file_kernel_read(ctx, buf, size, (int64_t)off);
}

/* argv becomes interp [arg] script argv[1..]. */
static int prepend(struct exec *x, char *interp, char *arg, const char *script)
{
	size_t add = arg ? 2 : 1, rest = x->argc ? x->argc - 1 : 0;
	char **v = malloc((add + 1 + rest + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	v[0] = interp;
	if (arg)
		v[1] = arg;
	v[add] = (char *)script;
	for (size_t i = 0; i < rest; i++)
		v[add + 1 + i] = x->argv[i + 1];
	v[add + 1 + rest] = NULL;
	free(x->argv);
	x->argv = v;
	x->argc = add + 1 + rest;
	return 0;
}

static int keep(struct exec *x, char *s)
{
	if (!s)
		return 0;
	if (x->owned_count == ARRAY_SIZE(x->owned)) {
		free(s);
		return -ELOOP;
	}
	x->owned[x->owned_count++] = s;
	return 0;
}

/* Follows "#!" lines; x->file ends as the ELF program, whose head is parsed. */
static int find_program(struct exec *x)
{
	char head[EXEC_HEAD_SIZE];
	const char *script = x->name;

	for (int depth = 0;; depth++) {
		struct file *next;
		char *interp = NULL, *arg = NULL;
		ssize_t n = file_kernel_read(x->file, head, sizeof(head), 0);
		int err;

		if (n < 0)
			return (int)n;
		if (x->file->inode->write_count > 0)
			return -ETXTBSY;
		err = script_parse(head, (size_t)n, &interp, &arg);
		if (err == -ENOEXEC && n >= 2 && head[0] == '#' && head[1] == '!')
			return err;
		if (err == -ENOEXEC)
			return elf_parse(head, (size_t)n, read_file, x->file, &x->image);
		if (err)
			return err;
		if (depth == SCRIPT_DEPTH_MAX) {
			free(interp);
			free(arg);
			return -ELOOP;
		}
		err = keep(x, interp);
		if (err) {
			free(arg);
			return err;
		}
		err = keep(x, arg);
		if (!err)
			err = prepend(x, interp, arg, script);
		if (!err)
			err = open_program(x->t, interp, &next);
		if (err)
			return err;
		file_unref(x->file);
		x->file = next;
		script = interp;
	}
}

static int find_interp(struct exec *x)
{
	char head[EXEC_HEAD_SIZE];
	ssize_t n;
	int err;

	if (!x->image.interp)
		return 0;
	err = open_program(x->t, x->image.interp, &x->interp_file);
	if (err)
		return err;
	n = file_kernel_read(x->interp_file, head, sizeof(head), 0);
	if (n < 0)
		return (int)n;
	err = elf_parse(head, (size_t)n, read_file, x->interp_file, &x->interp);
	if (err == -ENOEXEC)
		return -ELIBBAD;
	if (!err && !x->interp.dynamic)
		return -ELIBBAD;
	return err;
}

static uint64_t argument_limit(const struct task *t)
{
	uint64_t limit = t->signal->rlim[RLIMIT_STACK].rlim_cur / 4;

	limit = MIN(limit, DEFAULT_STACK_LIMIT / 4 * 3);
	return MAX(limit, 32 * SBX_PAGE_SIZE);
}

static void choose_places(struct exec *x)
{
	const struct elf_image *im = &x->image, *in = &x->interp;
	uint64_t span;

	if (im->dynamic) {
		uint64_t base = PIE_BASE + random_u64() % PIE_RANDOM_PAGES * SBX_PAGE_SIZE;

		x->bias = ALIGN_DOWN(base, im->align) - im->low;
	}
	if (x->interp_file) {
		span = in->high - in->low;
		/* Below the vdso and its data pages, where the host's own search for room begins. */
		uint64_t base = memd_info.vdso - (1ull << 20) - span - random_u64() % 0x40000 * SBX_PAGE_SIZE;

		x->interp_bias = ALIGN_DOWN(base, in->align) - in->low;
	}
	x->stack.top = USER_TOP - R_SPACE - (16ull << 20) -
		       random_u64() % (STACK_SPREAD / SBX_PAGE_SIZE) * SBX_PAGE_SIZE;
}

static void aux(struct exec_stack *st, uint64_t key, uint64_t value)
{
	st->auxv[2 * st->auxv_count] = key;
	st->auxv[2 * st->auxv_count + 1] = value;
	st->auxv_count++;
}

static int build_stack(struct exec *x)
{
	struct exec_stack *st = &x->stack;
	const struct elf_image *im = &x->image;

	st->argv = x->argv;
	st->envp = x->envp;
	st->name = x->name;
	aux(st, AT_SYSINFO_EHDR, memd_info.vdso);
	aux(st, AT_MINSIGSTKSZ, getauxval(AT_MINSIGSTKSZ));
	aux(st, AT_HWCAP, getauxval(AT_HWCAP));
	aux(st, AT_PAGESZ, SBX_PAGE_SIZE);
	aux(st, AT_CLKTCK, 100);
	aux(st, AT_PHDR, im->phdr ? im->phdr + x->bias : 0);
	aux(st, AT_PHENT, sizeof(Elf64_Phdr));
	aux(st, AT_PHNUM, im->phnum);
	aux(st, AT_BASE, x->interp_file ? x->interp_bias : 0);
	aux(st, AT_FLAGS, 0);
	aux(st, AT_ENTRY, im->entry + x->bias);
	aux(st, AT_UID, x->cred->uid);
	aux(st, AT_EUID, x->cred->euid);
	aux(st, AT_GID, x->cred->gid);
	aux(st, AT_EGID, x->cred->egid);
	aux(st, AT_SECURE, x->secure);
	aux(st, AT_HWCAP2, getauxval(AT_HWCAP2));
	return exec_stack_build(st);
}

static int take_process(struct exec *x)
{
	int err = memd_take_blank(&x->hp);

	if (err)
		return err;
	err = hthread_new_at(x->hp, 0, &x->ht);
	if (!err)
		err = hthread_wait_hello(x->ht);
	if (err)
		return err == -ENOMEM ? err : -EAGAIN;
	x->mm = mm_new(x->hp);
	return x->mm ? 0 : -ENOMEM;
}

static void set_limits(struct exec *x)
{
	const struct rlimit64 *rlim = x->t->signal->rlim;

	if (rlim[RLIMIT_STACK].rlim_cur != DEFAULT_STACK_LIMIT)
		mm_limit_first(x->mm, RLIMIT_STACK, rlim[RLIMIT_STACK].rlim_cur, rlim[RLIMIT_STACK].rlim_max);
	if (rlim[RLIMIT_AS].rlim_cur != RLIM64_INFINITY)
		mm_limit_first(x->mm, RLIMIT_AS, rlim[RLIMIT_AS].rlim_cur, rlim[RLIMIT_AS].rlim_max);
	if (rlim[RLIMIT_DATA].rlim_cur != RLIM64_INFINITY)
		mm_limit_first(x->mm, RLIMIT_DATA, rlim[RLIMIT_DATA].rlim_cur, rlim[RLIMIT_DATA].rlim_max);
}

static int build_image(struct exec *x)
{
	struct image_plan *p = &x->plan;
	struct exec_stack *st = &x->stack;
	uint64_t stack_start = ALIGN_DOWN(st->sp, SBX_PAGE_SIZE) - STACK_EXTRA;
	int err;

	err = image_file_init(&x->files[0], x->file, MEMD_LEND_FD);
	if (!err && x->interp_file)
		err = image_file_init(&x->files[1], x->interp_file, MEMD_LEND_FD + 1);
	if (err)
		return err;
	plan_image(p, &x->image, &x->files[0], x->bias);
	if (x->interp_file)
		plan_image(p, &x->interp, &x->files[1], x->interp_bias);
	plan_syscall(p, SYS_mmap, stack_start, st->top - stack_start,
		     PROT_READ | PROT_WRITE | (x->image.exec_stack ? PROT_EXEC : 0),
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_STACK | MAP_FIXED_NOREPLACE,
		     (uint64_t)-1, 0, (int64_t)stack_start);
	plan_syscall(p, SYS_close, MEMD_LEND_FD, 0, 0, 0, 0, 0, 0);
	if (x->interp_file)
		plan_syscall(p, SYS_close, MEMD_LEND_FD + 1, 0, 0, 0, 0, 0, 0);
	set_limits(x);
	err = plan_run(p, x->mm, x->ht);
	if (err)
		return err;
	return mm_write(x->mm, st->sp, st->bytes, st->size) == (ssize_t)st->size ? 0 : -ENOMEM;
}

static void describe_mm(struct exec *x)
{
	const struct elf_image *im = &x->image;
	const struct exec_stack *st = &x->stack;
	struct mm *mm = x->mm;

	for (unsigned i = 0; i < im->segment_count; i++) {
		const struct elf_segment *s = &im->segments[i];
		uint64_t start = s->vaddr + x->bias, end = start + s->file_size;

		if (s->prot & PROT_EXEC) {
			mm->start_code = mm->start_code ? MIN(mm->start_code, start) : start;
			mm->end_code = MAX(mm->end_code, end);
		} else if (s->prot & PROT_WRITE) {
			mm->start_data = mm->start_data ? MIN(mm->start_data, start) : start;
			mm->end_data = MAX(mm->end_data, end);
		}
	}
	mm->start_brk = mm->brk = im->high + x->bias + random_u64() % BRK_RANDOM_PAGES * SBX_PAGE_SIZE;
	mm->start_stack = st->sp;
	mm->stack_end = st->top;
	mm->arg_start = st->arg_start;
	mm->arg_end = st->arg_end;
	mm->env_start = st->env_start;
	mm->env_end = st->env_end;
	mm->vdso_base = memd_info.vdso;
	mm->entry = x->interp_file ? x->interp.entry + x->interp_bias : im->entry + x->bias;
	memcpy(mm->auxv, st->saved_auxv, sizeof(mm->auxv));
	mm->auxv_count = st->saved_auxv_count;
	mm_deny_write(mm, x->file->inode);
}

static void exec_free(struct exec *x)
{
	if (x->file)
		file_unref(x->file);
	if (x->interp_file)
		file_unref(x->interp_file);
	elf_image_done(&x->image);
	elf_image_done(&x->interp);
	exec_stack_done(&x->stack);
	for (unsigned i = 0; i < x->owned_count; i++)
		free(x->owned[i]);
	free(x->argv);
	if (x->cred)
		cred_unref(x->cred);
	hthread_free(x->ht);
	if (x->mm)
		mm_unref(x->mm);
	else if (x->hp)
		memd_kill(x->hp);
	hprocess_unref(x->hp);
	free(x);
}

static int copy_argv(struct exec *x, char *const *argv)
{
	static char empty[] = "";
	size_t n = 0;

	while (argv[n])
		n++;
	x->argv = malloc((MAX(n, (size_t)1) + 1) * sizeof(*x->argv));
	if (!x->argv)
		return -ENOMEM;
	memcpy(x->argv, argv, n * sizeof(*argv));
	if (!n)
		x->argv[n++] = empty; /* Linux 5.18: never without argv[0] */
	x->argv[n] = NULL;
	x->argc = n;
	return 0;
}

int exec_task(struct task *t, struct file *prog, const char *name, char *const *argv, char *const *envp)
{
	struct exec *x = calloc(1, sizeof(*x));
	int64_t size;
	int err;

	if (!x)
		return -ENOMEM;
	x->t = t;
	x->file = file_ref(prog);
	x->name = name;
	x->envp = envp;
	err = copy_argv(x, argv);
	if (!err)
		err = find_program(x);
	if (!err)
		err = find_interp(x);
	if (err)
		goto out;
	size = exec_stack_measure(x->argv, envp, argument_limit(t) - MIN(strlen(name), 4096ul));
	if (size < 0) {
		err = (int)size;
		goto out;
	}
	exec_begin(t);
	err = exec_creds(t, x->file, &x->cred, &x->secure);
	if (err)
		goto out;
	choose_places(x);
	err = build_stack(x);
	if (!err)
		err = take_process(x);
	if (!err)
		err = build_image(x);
	if (err)
		goto out;
	describe_mm(x);

	struct hthread *ht = x->ht;
	uint64_t entry = x->mm->entry, sp = x->stack.sp;

	err = task_exec_commit(t, x->mm, x->ht, x->cred, x->file, name);
	if (err)
		goto out;
	x->mm = NULL;
	x->ht = NULL;
	x->cred = NULL;
	hprocess_unref(STEAL_PTR(x->hp));
	ht->regs = (struct sbx_regs){.rip = entry, .rsp = sp, .eflags = 0x202, .orig_rax = (uint64_t)-1};
	t->regs_replaced = true;
out:
	exec_end(t);
	exec_free(x);
	return err;
}
