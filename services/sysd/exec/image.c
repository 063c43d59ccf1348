/* Neighbouring segments of one file are mapped together and then protected one by one: each file mapping
 * costs a notification to memd, an mprotect(2) nearly nothing. */
#include "services/sysd/exec/image.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "services/sysd/mm/memd_client.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/mmap_req.h"
#include "services/sysd/mm/vma.h"
#include "services/sysd/vfs/file.h"

static uint64_t page_down(uint64_t x)
{
	return ALIGN_DOWN(x, SBX_PAGE_SIZE);
}
static uint64_t page_up(uint64_t x)
{
	return ALIGN_UP(x, SBX_PAGE_SIZE);
}

int image_file_init(struct image_file *f, struct file *file, int lend_fd)
{
	struct mmap_req req = {
		.size = SBX_PAGE_SIZE, .prot = PROT_READ | PROT_EXEC, .flags = MAP_PRIVATE, .host_fd = -1};
	int ret;

	if (!file->op || !file->op->mmap)
		return -EACCES;
	ret = file->op->mmap(file, &req);
	if (ret)
		return ret;
	if (req.anonymous || req.host_fd < 0)
		return -EACCES;
	*f = (struct image_file){file, req.host_fd, lend_fd, req.object_id};
	return 0;
}

static struct sbx_hostop *add(struct image_plan *p, uint32_t kind, int64_t expect)
{
	if (p->count == PLAN_OPS_MAX) {
		p->full = true;
		return &p->ops[0];
	}
	p->expect[p->count] = expect;
	p->file[p->count] = NULL;
	p->ops[p->count] = (struct sbx_hostop){.kind = kind, .flags = SBX_HOP_STOP_ON_ERROR};
	return &p->ops[p->count++];
}

void plan_syscall(struct image_plan *p, long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		  uint64_t a4, uint64_t a5, int64_t expect)
{
	struct sbx_hostop *op = add(p, SBX_HOP_SYSCALL, expect);

	op->nr = (uint64_t)nr;
	op->args[0] = a0;
	op->args[1] = a1;
	op->args[2] = a2;
	op->args[3] = a3;
	op->args[4] = a4;
	op->args[5] = a5;
}

static void map_file(struct image_plan *p, const struct image_file *f, uint64_t start, uint64_t end,
		     uint32_t prot, uint64_t offset)
{
	plan_syscall(p, SYS_mmap, start, end - start, prot, MAP_PRIVATE | MAP_FIXED_NOREPLACE,
		     (uint64_t)f->lend_fd, offset, (int64_t)start);
	if (!p->full)
		p->file[p->count - 1] = f;
}

static void map_bss(struct image_plan *p, const struct elf_segment *s, uint64_t bias)
{
	uint64_t data_end = s->vaddr + bias + s->file_size, end = page_up(s->vaddr + bias + s->mem_size);
	uint64_t from = s->file_size ? page_up(data_end) : page_down(data_end);

	if (s->file_size && data_end < from && s->mem_size > s->file_size && (s->prot & PROT_WRITE)) {
		struct sbx_hostop *op = add(p, SBX_HOP_ZERO, 0);

		op->args[0] = data_end;
		op->args[1] = from - data_end;
	}
	if (end > from)
		plan_syscall(p, SYS_mmap, from, end - from, s->prot,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, (uint64_t)-1, 0, (int64_t)from);
}

static uint64_t file_end(const struct elf_segment *s)
{
	return page_up(s->vaddr + s->file_size);
}

void plan_image(struct image_plan *p, const struct elf_image *im, const struct image_file *f, uint64_t bias)
{
	for (unsigned i = 0, j; i < im->segment_count; i = j + 1) {
		const struct elf_segment *s = &im->segments[i];

		j = i;
		if (s->file_size) {
			while (j + 1 < im->segment_count && im->segments[j + 1].file_size &&
			       file_end(&im->segments[j]) ==
				       page_up(im->segments[j].vaddr + im->segments[j].mem_size) &&
			       page_down(im->segments[j + 1].vaddr) == file_end(&im->segments[j]) &&
			       im->segments[j + 1].vaddr - im->segments[j + 1].offset == s->vaddr - s->offset)
				j++;
			map_file(p, f, page_down(s->vaddr) + bias, file_end(&im->segments[j]) + bias, s->prot,
				 page_down(s->offset));
			for (unsigned k = i + 1; k <= j; k++) {
				const struct elf_segment *n = &im->segments[k];

				if (n->prot != s->prot)
					plan_syscall(p, SYS_mprotect, page_down(n->vaddr) + bias,
						     file_end(n) - page_down(n->vaddr), n->prot, 0, 0, 0, 0);
			}
		}
		map_bss(p, &im->segments[j], bias);
	}
}

static int op_error(int64_t ret)
{
	if (ret >= 0 || ret < -4095)
		return -ESRCH; /* not what the call can return: the process is not what it was */
	return ret == -EEXIST || ret == -EPERM || ret == -ECANCELED ? -ENOMEM : (int)ret;
}

int plan_run(struct image_plan *p, struct mm *mm, struct hthread *ht)
{
	int ret;

	if (p->full)
		return -ENOEXEC;
	for (unsigned i = 0; i < p->count; i++) {
		const struct image_file *f = p->file[i];

		if (!f)
			continue;
		ret = memd_order_map(mm->hp, p->ops[i].args, f->host_fd, f->object_id, false);
		if (ret)
			return ret;
	}
	ret = hthread_run_ops_on(ht, p->ops, p->count);
	if (ret)
		return ret;
	for (unsigned i = 0; i < p->count; i++)
		if (p->ops[i].ret != p->expect[i])
			return op_error(p->ops[i].ret);
	for (unsigned i = 0; i < p->count; i++) {
		const struct image_file *f = p->file[i];

		if (f)
			vma_add(mm, p->ops[i].args[0], p->ops[i].args[1], p->ops[i].args[5], f->host_fd,
				&f->file->path);
	}
	return 0;
}
