/* Which file lies where. The host's own map is the truth about mappings (the runtime maps and unmaps
 * memory alone); a record here only gives a host mapping of the same host inode its guest name, so a
 * stale record is never shown. Records hold a path, not the open file: unmapping is not always seen,
 * and a lock must not live on because of it. */
#ifndef SYSD_MM_VMA_H
#define SYSD_MM_VMA_H

#include <stdbool.h>
#include <stdint.h>
#include "common/base/list.h"
#include "services/sysd/vfs/dentry.h"

struct mm;

struct file_vma {
	struct list node;       /* mm.file_vmas, by start */
	uint64_t start, end;
	uint64_t offset;        /* of start in the file */
	uint64_t host_dev, host_ino; /* as the host's maps show the descriptor that was lent */
	struct path path;       /* references */
	uint64_t serial;        /* order of addition */
	bool live;              /* while pruning: the host still has it */
};

/* Adds a record; what it covers of older ones is cut away. path may be NULL (nothing is recorded, the
 * range is only cleared). 0 or -ENOMEM. */
int vma_add(struct mm *mm, uint64_t start, uint64_t size, uint64_t offset, int host_fd,
	    const struct path *path);
/* The range has been unmapped. */
void vma_remove(struct mm *mm, uint64_t start, uint64_t size);
/* mremap moved a range. */
void vma_move(struct mm *mm, uint64_t from, uint64_t old_size, uint64_t to, uint64_t new_size);
/* The range shows another part of the file that the record at its start names (remap_file_pages). 0 or -ENOMEM. */
int vma_shift(struct mm *mm, uint64_t start, uint64_t size, uint64_t offset);
/* The record that covers addr and is of this host inode, or NULL. */
struct file_vma *vma_find(struct mm *mm, uint64_t addr, uint64_t host_dev, uint64_t host_ino);
/* Copies all records (fork). 0 or -ENOMEM. */
int vma_copy_all(struct mm *to, const struct mm *from);
void vma_remove_all(struct mm *mm);
/* Drops records whose mapping the host does not have any more, when there are many. Sleeps. */
void vma_prune(struct mm *mm);

#endif
