/* Records of file mappings, a list in address order; see vma.h. */
#include "services/sysd/mm/vma.h"

#include <errno.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/mm/mm.h"

static void vma_free(struct mm *mm, struct file_vma *v)
{
	list_del(&v->node);
	mm->file_vma_count--;
	path_put(&v->path);
	free(v);
}

static struct file_vma *vma_dup(const struct file_vma *v)
{
	struct file_vma *n = malloc(sizeof(*n));

	if (!n)
		return NULL;
	*n = *v;
	path_get(&n->path);
	return n;
}

static void insert(struct mm *mm, struct file_vma *v)
{
	struct list *at = mm->file_vmas.prev;

	/* Programs map downwards or upwards; search from the end is as good as any. */
	while (at != &mm->file_vmas && LIST_ENTRY(at, struct file_vma, node)->start > v->start)
		at = at->prev;
	list_add(at, &v->node);
	mm->file_vma_count++;
}

void vma_remove(struct mm *mm, uint64_t start, uint64_t size)
{
	struct file_vma *v, *tmp;
	uint64_t end = start + size;

	LIST_FOR_EACH_SAFE(v, tmp, &mm->file_vmas, node) {
		if (v->start >= end)
			break;
		if (v->end <= start)
			continue;
		if (v->start < start && v->end > end) {
			struct file_vma *high = vma_dup(v);

			v->end = start;
			if (high) {
				high->offset += end - high->start;
				high->start = end;
				list_add(&v->node, &high->node);
				mm->file_vma_count++;
			}
			break;
		}
		if (v->start >= start && v->end <= end) {
			vma_free(mm, v);
		} else if (v->start < start) {
			v->end = start;
		} else {
			v->offset += end - v->start;
			v->start = end;
		}
	}
}

int vma_add(struct mm *mm, uint64_t start, uint64_t size, uint64_t offset, int host_fd,
	    const struct path *path)
{
	struct file_vma *v;
	struct stat st;

	vma_remove(mm, start, size);
	if (!path || !path->dentry)
		return 0;
	if (fstat(host_fd, &st) < 0)
		return -errno;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->start = start;
	v->end = start + size;
	v->offset = offset;
	v->host_dev = st.st_dev;
	v->host_ino = st.st_ino;
	v->path = *path;
	v->serial = ++mm->file_vma_serial;
	path_get(&v->path);
	insert(mm, v);
	return 0;
}

void vma_move(struct mm *mm, uint64_t from, uint64_t old_size, uint64_t to, uint64_t new_size)
{
	struct file_vma *v, *tmp;
	struct list moved;

	if (from == to) {
		if (new_size < old_size) {
			vma_remove(mm, from + new_size, old_size - new_size);
			return;
		}
		LIST_FOR_EACH(v, &mm->file_vmas, node)
			if (v->start <= from && v->end == from + old_size)
				v->end = from + new_size;
		return;
	}
	/* Cut at both ends, then shift what lies inside; an old_size of 0 doubles a shared mapping and
	 * leaves the old one. */
	list_init(&moved);
	LIST_FOR_EACH_SAFE(v, tmp, &mm->file_vmas, node) {
		uint64_t span = old_size ? old_size : new_size;

		if (v->end <= from || v->start >= from + span)
			continue;
		struct file_vma *n = vma_dup(v);

		if (!n)
			continue;
		if (n->start < from) {
			n->offset += from - n->start;
			n->start = from;
		}
		n->end = n->end >= from + span ? from + MAX(new_size, (uint64_t)SBX_PAGE_SIZE) : n->end;
		n->start = n->start - from + to;
		n->end = n->end - from + to;
		list_add_tail(&moved, &n->node);
	}
	if (old_size)
		vma_remove(mm, from, old_size);
	vma_remove(mm, to, new_size);
	while (!list_empty(&moved)) {
		v = LIST_FIRST(&moved, struct file_vma, node);
		list_del(&v->node);
		if (v->start >= to + new_size) {
			path_put(&v->path);
			free(v);
			continue;
		}
		v->end = MIN(v->end, to + new_size);
		insert(mm, v);
	}
}

int vma_shift(struct mm *mm, uint64_t start, uint64_t size, uint64_t offset)
{
	struct file_vma *v, *n;

	LIST_FOR_EACH(v, &mm->file_vmas, node) {
		if (v->end <= start)
			continue;
		if (v->start > start)
			break;
		n = vma_dup(v);
		if (!n)
			return -ENOMEM;
		vma_remove(mm, start, size);
		n->start = start;
		n->end = start + size;
		n->offset = offset;
		n->serial = ++mm->file_vma_serial;
		insert(mm, n);
		return 0;
	}
	return 0;
}

struct file_vma *vma_find(struct mm *mm, uint64_t addr, uint64_t host_dev, uint64_t host_ino)
{
	struct file_vma *v;

	LIST_FOR_EACH(v, &mm->file_vmas, node) {
		if (v->start > addr)
			break;
		if (addr < v->end && v->host_ino == host_ino && (!host_dev || v->host_dev == host_dev))
			return v;
	}
	return NULL;
}

int vma_copy_all(struct mm *to, const struct mm *from)
{
	struct file_vma *v;

	LIST_FOR_EACH(v, &from->file_vmas, node) {
		struct file_vma *n = vma_dup(v);

		if (!n)
			return -ENOMEM;
		list_add_tail(&to->file_vmas, &n->node);
		to->file_vma_count++;
	}
	return 0;
}

void vma_remove_all(struct mm *mm)
{
	while (!list_empty(&mm->file_vmas))
		vma_free(mm, LIST_FIRST(&mm->file_vmas, struct file_vma, node));
}

#define PRUNE_AT 128u

static int mark_live(const struct mm_region *r, void *arg)
{
	struct file_vma *v;

	if (r->path) {
		v = CONTAINER_OF(r->path, struct file_vma, path);
		v->live = true;
	}
	return 0;
}

void vma_prune(struct mm *mm)
{
	struct file_vma *v, *tmp;
	unsigned limit = MAX(mm->file_vma_prune, PRUNE_AT);

	if (mm->file_vma_count < limit)
		return;
	LIST_FOR_EACH(v, &mm->file_vmas, node)
		v->live = false;
	/* What is added while this sleeps must not be taken for dead. */
	uint64_t before = mm->file_vma_serial;

	if (mm_walk(mm, false, mark_live, NULL) == 0)
		LIST_FOR_EACH_SAFE(v, tmp, &mm->file_vmas, node)
			if (!v->live && v->serial <= before)
				vma_free(mm, v);
	mm->file_vma_prune = 2 * mm->file_vma_count;
}
