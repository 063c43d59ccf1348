/* The host calls that put a program into a blank process, planned as one list so that the process is
 * told everything at once. */
#ifndef SYSD_EXEC_IMAGE_H
#define SYSD_EXEC_IMAGE_H

#include <stdint.h>
#include "common/slot/slot.h"
#include "services/sysd/exec/elf.h"

struct file;
struct hprocess;
struct mm;

#define PLAN_OPS_MAX 160

/* A program file as it is lent to the process. */
struct image_file {
	struct file *file;
	int host_fd, lend_fd;
	uint64_t object_id;
};
/* Asks the file for its host descriptor. 0 or -errno. */
int image_file_init(struct image_file *f, struct file *file, int lend_fd);

struct image_plan {
	struct sbx_hostop ops[PLAN_OPS_MAX];
	int64_t expect[PLAN_OPS_MAX];            /* what a success returns */
	const struct image_file *file[PLAN_OPS_MAX]; /* of a file mapping, else NULL */
	unsigned count;
	bool full;
};

/* Adds the mappings of an image whose addresses are shifted by `bias`. */
void plan_image(struct image_plan *p, const struct elf_image *im, const struct image_file *f, uint64_t bias);
void plan_syscall(struct image_plan *p, long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		  uint64_t a4, uint64_t a5, int64_t expect);
/* Has memd approve the file mappings, runs the list on the process's thread, checks every result, and
 * records the files in mm. 0, -ENOMEM, -ESRCH or -errno. Sleeps. */
struct hthread;
int plan_run(struct image_plan *p, struct mm *mm, struct hthread *ht);

#endif
