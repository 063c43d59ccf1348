/* Files of /proc/PID about memory: maps, smaps, cmdline, environ, auxv, mem. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include "common/base/util.h"
#include "services/sysd/fs/proc/proc.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/task/ptrace.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/fs_struct.h"

struct walk {
	struct seqbuf *s;
	struct path root; /* of the reader */
	char *buf;        /* a page for d_path */
	bool smaps;
	struct mm_region sum;
	uint64_t anon, first, last;
};

static void show_region_line(struct walk *w, const struct mm_region *r)
{
	struct seqbuf *s = w->s;
	size_t from = s->size;
	const struct inode *inode = r->path ? r->path->dentry->inode : NULL;
	uint64_t dev = inode && inode->sb ? inode->sb->dev : 0;
	const char *name = r->name;

	seq_printf(s, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ", (unsigned long long)r->start,
		   (unsigned long long)r->end, r->prot & PROT_READ ? 'r' : '-',
		   r->prot & PROT_WRITE ? 'w' : '-', r->prot & PROT_EXEC ? 'x' : '-',
		   r->flags & MAP_SHARED ? 's' : 'p', (unsigned long long)r->offset, major(dev),
		   minor(dev), inode ? (unsigned long long)inode->ino : 0ull);
	if (r->path && w->buf) {
		if (!r->path->mnt)
			name = r->path->dentry->name;
		else
			name = d_path(r->path, &w->root, w->buf, SBX_PAGE_SIZE);
	}
	if (name) {
		seq_pad(s, from, 73);
		seq_escape(s, name, "\n");
	}
	seq_putc(s, '\n');
}

static unsigned long long kb(uint64_t bytes)
{
	return (unsigned long long)(bytes / 1024);
}

static void show_counts(struct seqbuf *s, const struct mm_region *r, uint64_t anon)
{
	bool shared = r->flags & MAP_SHARED;
	uint64_t clean = r->rss - MIN(r->rss, r->dirty);

	seq_printf(s, "Rss:            %8llu kB\nPss:            %8llu kB\nPss_Dirty:      %8llu kB\n",
		   kb(r->rss), kb(r->pss), kb(MIN(r->pss, r->dirty)));
	seq_printf(s, "Shared_Clean:   %8llu kB\nShared_Dirty:   %8llu kB\n", shared ? kb(clean) : 0,
		   shared ? kb(r->dirty) : 0);
	seq_printf(s, "Private_Clean:  %8llu kB\nPrivate_Dirty:  %8llu kB\n", shared ? 0 : kb(clean),
		   shared ? 0 : kb(r->dirty));
	seq_printf(s, "Referenced:     %8llu kB\nAnonymous:      %8llu kB\nLazyFree:       %8llu kB\n",
		   kb(r->rss), kb(anon), 0ull);
	seq_puts(s, "AnonHugePages:         0 kB\nShmemPmdMapped:        0 kB\nFilePmdMapped:         0 kB\n"
		    "Shared_Hugetlb:        0 kB\nPrivate_Hugetlb:       0 kB\nSwap:                  0 kB\n"
		    "SwapPss:               0 kB\n");
	seq_printf(s, "Locked:         %8llu kB\n", kb(r->locked));
}

static int show_region(const struct mm_region *r, void *arg)
{
	struct walk *w = arg;

	show_region_line(w, r);
	if (!w->smaps)
		return w->s->failed;
	seq_printf(w->s, "Size:           %8llu kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n",
		   kb(r->end - r->start));
	show_counts(w->s, r, r->path ? MIN(r->rss, r->dirty) : r->rss);
	seq_printf(w->s, "THPeligible:           0\nVmFlags: %s%s%s%smr mw me \n",
		   r->prot & PROT_READ ? "rd " : "", r->prot & PROT_WRITE ? "wr " : "",
		   r->prot & PROT_EXEC ? "ex " : "", r->flags & MAP_SHARED ? "sh " : "");
	return w->s->failed;
}

static int add_region(const struct mm_region *r, void *arg)
{
	struct walk *w = arg;

	if (!w->last)
		w->first = r->start;
	w->last = r->end;
	w->sum.rss += r->rss;
	w->sum.pss += r->pss;
	w->sum.dirty += r->dirty;
	w->sum.locked += r->locked;
	w->anon += r->path ? MIN(r->rss, r->dirty) : r->rss;
	return 0;
}

static int walk(struct seqbuf *s, struct task *t, bool smaps, bool rollup)
{
	struct task *cur = current_task();
	struct walk w = {.s = s, .smaps = smaps, .buf = malloc(SBX_PAGE_SIZE)};
	struct mm *mm = t->mm && t->state != TASK_ZOMBIE ? mm_ref(t->mm) : NULL;
	int err = 0;

	if (mm) {
		if (cur && cur->fs) {
			w.root = cur->fs->root;
			path_get(&w.root);
		}
		err = mm_walk(mm, smaps || rollup, rollup ? add_region : show_region, &w);
		if (err > 0)
			err = 0;
		if (!err && rollup) {
			seq_printf(s, "%08llx-%08llx ---p 00000000 00:00 0                          [rollup]\n",
				   (unsigned long long)w.first, (unsigned long long)w.last);
			show_counts(s, &w.sum, w.anon);
		}
		path_put(&w.root);
		mm_unref(mm);
	} else if (rollup) {
		err = -ESRCH;
	}
	free(w.buf);
	return err;
}

PROC_SHOW(proc_show_maps)
{
	return walk(s, t, false, false);
}

PROC_SHOW(proc_show_smaps)
{
	return walk(s, t, true, false);
}

PROC_SHOW(proc_show_smaps_rollup)
{
	return walk(s, t, false, true);
}

static int show_range(struct seqbuf *s, struct mm *mm, uint64_t start, uint64_t end, uint64_t max)
{
	char buf[4096];

	end = MIN(end, start + max);
	while (start < end) {
		ssize_t n = mm_read(mm, buf, start, MIN(end - start, sizeof(buf)));

		if (n <= 0)
			break;
		seq_write(s, buf, (size_t)n);
		start += (uint64_t)n;
	}
	return 0;
}

/* A program that wrote over the end of its arguments (setproctitle) shows what stands there up to the
 * first NUL, the environment included. */
PROC_SHOW(proc_show_cmdline)
{
	struct mm *mm = t->mm && t->state != TASK_ZOMBIE ? mm_ref(t->mm) : NULL;
	char last = 0;

	if (!mm)
		return 0;
	if (mm->arg_end > mm->arg_start) {
		size_t at = s->size;

		mm_read(mm, &last, mm->arg_end - 1, 1);
		show_range(s, mm, mm->arg_start, mm->arg_end, 2ul << 20);
		if (last && mm->env_end > mm->arg_end && mm->env_start == mm->arg_end) {
			char *nul;

			show_range(s, mm, mm->arg_end, mm->env_end, 2ul << 20);
			nul = s->buf ? memchr(s->buf + at, 0, s->size - at) : NULL;
			if (nul)
				s->size = (size_t)(nul - s->buf) + 1;
		}
	}
	mm_unref(mm);
	return 0;
}

PROC_SHOW(proc_show_environ)
{
	struct mm *mm = t->mm && t->state != TASK_ZOMBIE ? mm_ref(t->mm) : NULL;

	if (mm && mm->env_end > mm->env_start)
		show_range(s, mm, mm->env_start, mm->env_end, 2ul << 20);
	mm_unref(mm);
	return 0;
}

PROC_SHOW(proc_show_auxv)
{
	if (t->mm && t->state != TASK_ZOMBIE)
		seq_write(s, t->mm->auxv,
			  MIN(t->mm->auxv_count, (unsigned)ARRAY_SIZE(t->mm->auxv)) * sizeof(uint64_t));
	return 0;
}

/* ---- mem: the address space as a file ---------------------------------------------------- */

static int mem_open(struct inode *inode, struct file *file)
{
	struct task *t = current_task(), *of = proc_task(proc_i(inode));

	if (!of)
		return -ENOENT;
	if (t && !ptrace_may_look(t, of))
		return -EACCES;
	file->priv = of->mm ? mm_ref(of->mm) : NULL; /* the address space, even past an exec */
	return 0;
}

static void mem_release(struct file *file)
{
	mm_unref(file->priv);
}

ssize_t ptrace_force_write(struct mm *mm, uint64_t addr, const void *src, size_t size) __attribute__((weak));

static ssize_t mem_put(struct mm *mm, uint64_t at, const void *buf, size_t size)
{
	ssize_t r = mm_write(mm, at, buf, size);

	/* a debugger's breakpoint in program text */
	return r == -EFAULT && ptrace_force_write ? ptrace_force_write(mm, at, buf, size) : r;
}

static ssize_t mem_rw(struct file *file, struct uio *u, int64_t *pos, bool write)
{
	struct mm *mm = file->priv;
	char buf[4096];
	ssize_t done = 0;

	if (!mm || !pos)
		return 0;
	while (u->resid) {
		uint64_t at = (uint64_t)*pos;
		size_t n = MIN(u->resid, sizeof(buf) - at % sizeof(buf));
		ssize_t r;

		if (write) {
			r = uio_copy_from(u, buf, n);
			if (r > 0)
				r = mem_put(mm, at, buf, (size_t)r);
		} else {
			r = mm_read(mm, buf, at, n);
			if (r > 0)
				r = uio_copy_to(u, buf, (size_t)r);
		}
		if (r <= 0)
			return done ? done : -EIO;
		*pos += r;
		done += r;
	}
	return done;
}

static ssize_t mem_read(struct file *file, struct uio *u, int64_t *pos)
{
	return mem_rw(file, u, pos, false);
}

static ssize_t mem_write(struct file *file, struct uio *u, int64_t *pos)
{
	return mem_rw(file, u, pos, true);
}

static int64_t mem_llseek(struct file *file, int64_t off, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	file->pos = whence == SEEK_CUR ? file->pos + off : off;
	return file->pos;
}

const struct file_ops proc_mem_fops = {
	.open = mem_open,
	.release = mem_release,
	.read = mem_read,
	.write = mem_write,
	.llseek = mem_llseek,
};
