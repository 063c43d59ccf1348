/* ELF headers of a program or interpreter, read and checked; nothing is mapped here. */
#ifndef SYSD_EXEC_ELF_H
#define SYSD_EXEC_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ELF_SEGMENTS_MAX 64

struct elf_segment {
	uint64_t vaddr, offset, file_size, mem_size;
	uint32_t prot;      /* PROT_* */
};

struct elf_image {
	bool dynamic;       /* ET_DYN: may be moved */
	uint64_t entry;
	uint64_t phdr;      /* address of the program headers in memory, 0: not mapped */
	uint16_t phnum;
	uint64_t low, high; /* page-aligned extent of all segments */
	uint64_t align;     /* largest p_align, at least a page */
	bool exec_stack;
	char *interp;       /* owned; NULL: none */
	unsigned segment_count;
	struct elf_segment segments[ELF_SEGMENTS_MAX]; /* ascending, no two in the same page */
};

/* Up to `size` bytes at `off`; the count or -errno. */
typedef ssize_t (*elf_read_fn)(void *ctx, void *buf, size_t size, uint64_t off);

/* head: the first head_size bytes of the file. 0, -ENOEXEC (not one for this machine), -EINVAL or -ENOMEM
 * (segments that cannot be), -EIO. On success elf_image_done frees. */
int elf_parse(const void *head, size_t head_size, elf_read_fn read, void *ctx, struct elf_image *ret);
void elf_image_done(struct elf_image *im);

#endif
