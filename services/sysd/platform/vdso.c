/* The vDSO's symbol table; see vdso.h. The image comes from the host kernel: it is trusted. */
#include "services/sysd/platform/vdso.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

uint64_t vdso_function(uint64_t base, const char *name)
{
	const char *own = (const char *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *eh = (const void *)own;
	const Elf64_Phdr *ph;
	const Elf64_Dyn *dyn = NULL;
	const Elf64_Sym *sym = NULL;
	const char *str = NULL;
	const uint32_t *hash = NULL;
	uint64_t load = 0;

	if (!own || !base)
		return 0;
	ph = (const void *)(own + eh->e_phoff);
	for (unsigned i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			load = ph[i].p_vaddr - ph[i].p_offset;
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const void *)(own + ph[i].p_offset);
	}
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		const char *p = own + (dyn->d_un.d_ptr - load);

		if (dyn->d_tag == DT_SYMTAB)
			sym = (const void *)p;
		else if (dyn->d_tag == DT_STRTAB)
			str = p;
		else if (dyn->d_tag == DT_HASH)
			hash = (const void *)p;
	}
	if (!sym || !str)
		return 0;
	/* Without a hash table the symbols end where the strings begin. */
	for (uint32_t i = 0; hash ? i < hash[1] : (const char *)&sym[i + 1] <= str; i++) {
		if (sym[i].st_shndx && !strcmp(str + sym[i].st_name, name))
			return base + sym[i].st_value - load;
	}
	return 0;
}
