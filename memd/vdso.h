/* The vdso and its data pages, which guest processes keep of memd, and where they lie in them.
 *
 * Linux 6.1, and later ones up to some point, map them above the stack, up to the end of the address space: where the
 * runtime's region is (zygote.c) and where sysd puts guests' stacks. There the zygote moves them to where younger kernels
 * have them at once: where the host's search for room begins, which is where sysd expects them (services/sysd/exec). */
#ifndef MEMD_VDSO_H
#define MEMD_VDSO_H

#include <stdint.h>

#define VDSO_PARTS 4

struct vdso {
	uint64_t start, text, end;   /* data pages, code, and the end of both, in guest processes */
	struct {
		uint64_t at, size, to;
	} parts[VDSO_PARTS];         /* mappings of this process, in their order */
	unsigned count;
	void *place;                 /* kept free for them until the zygote has them, NULL: they stay */
};

/* Finds them in the maps of the process whose folder of /proc is proc_fd's "self", and reserves their place. */
int vdso_find(int proc_fd, struct vdso *ret);
/* As if they were above the stack. */
int vdso_reserve(struct vdso *v);
/* In the zygote: there they are, or -errno. From here on this process calls nothing that uses the vdso. */
int vdso_move(const struct vdso *v);
/* In memd: the place is not needed any more. */
void vdso_release(struct vdso *v);

#endif
