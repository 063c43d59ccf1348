/* Every number in a program's headers is hostile: sums are checked before they are formed. Format:
 * elf(5); what is accepted follows Linux. */
#include "services/sysd/exec/elf.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include "common/base/util.h"

#define ADDRESS_TOP 0x7ffffffff000ull
#define PHNUM_MAX (65536 / sizeof(Elf64_Phdr))

static bool header_ok(const Elf64_Ehdr *h)
{
	return !memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB && (h->e_type == ET_EXEC || h->e_type == ET_DYN) &&
	       h->e_machine == EM_X86_64 && h->e_phentsize == sizeof(Elf64_Phdr) && h->e_phnum >= 1 &&
	       h->e_phnum <= PHNUM_MAX;
}

static int read_exactly(elf_read_fn read, void *ctx, const void *head, size_t head_size, void *buf, size_t size,
			uint64_t off)
{
	if (off <= head_size && size <= head_size - off) {
		memcpy(buf, (const char *)head + off, size);
		return 0;
	}
	ssize_t n = off <= INT64_MAX - size ? read(ctx, buf, size, off) : -EINVAL;

	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : -EIO;
}

static int add_segment(struct elf_image *im, const Elf64_Phdr *p)
{
	struct elf_segment *s;
	uint64_t low = ALIGN_DOWN(p->p_vaddr, SBX_PAGE_SIZE), high;

	if (!p->p_memsz)
		return 0;
	if (p->p_filesz > p->p_memsz || p->p_offset > INT64_MAX || p->p_filesz > INT64_MAX - p->p_offset)
		return -EINVAL;
	if (p->p_vaddr >= ADDRESS_TOP || p->p_memsz > ADDRESS_TOP - p->p_vaddr)
		return -ENOMEM;
	if (p->p_filesz && (p->p_vaddr - p->p_offset) % SBX_PAGE_SIZE)
		return -EINVAL;
	if (im->segment_count == ELF_SEGMENTS_MAX)
		return -ENOEXEC;
	high = ALIGN_UP(p->p_vaddr + p->p_memsz, SBX_PAGE_SIZE);
	if (high > ADDRESS_TOP)
		return -ENOMEM;
	if (im->segment_count && low < im->high)
		return -ENOEXEC;
	if (!im->segment_count)
		im->low = low;
	im->high = high;
	if (p->p_align > im->align && !(p->p_align & (p->p_align - 1)) && p->p_align <= 1ull << 30)
		im->align = p->p_align;
	s = &im->segments[im->segment_count++];
	*s = (struct elf_segment){p->p_vaddr, p->p_offset, p->p_filesz, p->p_memsz, 0};
	s->prot = (p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_W ? PROT_WRITE : 0) |
		  (p->p_flags & PF_X ? PROT_EXEC : 0);
	return 0;
}

static int read_interp(struct elf_image *im, const Elf64_Phdr *p, const void *head, size_t head_size,
		       elf_read_fn read, void *ctx)
{
	int ret;

	if (im->interp)
		return 0; /* the first counts */
	if (p->p_filesz > PATH_MAX || p->p_filesz < 2)
		return -ENOEXEC;
	im->interp = malloc(p->p_filesz);
	if (!im->interp)
		return -ENOMEM;
	ret = read_exactly(read, ctx, head, head_size, im->interp, p->p_filesz, p->p_offset);
	if (ret)
		return ret;
	return im->interp[p->p_filesz - 1] ? -ENOEXEC : 0;
}

int elf_parse(const void *head, size_t head_size, elf_read_fn read, void *ctx, struct elf_image *ret)
{
	CLEANUP_FREE Elf64_Phdr *ph = NULL;
	struct elf_image im = {.align = SBX_PAGE_SIZE};
	Elf64_Ehdr h;
	int err;

	if (head_size < sizeof(h))
		return -ENOEXEC;
	memcpy(&h, head, sizeof(h));
	if (!header_ok(&h))
		return -ENOEXEC;
	ph = malloc(h.e_phnum * sizeof(*ph));
	if (!ph)
		return -ENOMEM;
	err = read_exactly(read, ctx, head, head_size, ph, h.e_phnum * sizeof(*ph), h.e_phoff);
	if (err)
		return err == -EINVAL ? -ENOEXEC : err;
	im.dynamic = h.e_type == ET_DYN;
	im.entry = h.e_entry;
	im.phnum = h.e_phnum;
	for (unsigned i = 0; i < h.e_phnum && !err; i++) {
		switch (ph[i].p_type) {
		case PT_LOAD:
			err = add_segment(&im, &ph[i]);
			if (!err && ph[i].p_offset <= h.e_phoff && h.e_phoff - ph[i].p_offset < ph[i].p_filesz &&
			    !im.phdr)
				im.phdr = ph[i].p_vaddr + (h.e_phoff - ph[i].p_offset);
			break;
		case PT_INTERP:
			err = read_interp(&im, &ph[i], head, head_size, read, ctx);
			break;
		case PT_GNU_STACK:
			im.exec_stack = ph[i].p_flags & PF_X;
			break;
		}
	}
	if (!err && !im.segment_count)
		err = -ENOEXEC;
	if (err) {
		free(im.interp);
		return err;
	}
	*ret = im;
	return 0;
}

void elf_image_done(struct elf_image *im)
{
	free(im->interp);
	im->interp = NULL;
}
