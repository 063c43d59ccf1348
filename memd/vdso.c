#include "memd/vdso.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "common/base/util.h"

static int add_part(struct vdso *v, uint64_t a, uint64_t b, bool text)
{
	if (v->count >= VDSO_PARTS || (v->count && a < v->end))
		return -E2BIG;
	if (!v->count)
		v->start = a;
	if (text)
		v->text = a;
	v->end = b;
	v->parts[v->count].at = v->parts[v->count].to = a;
	v->parts[v->count++].size = b - a;
	return 0;
}

int vdso_find(int proc_fd, struct vdso *ret)
{
	struct vdso v = {.count = 0};
	uint64_t stack = 0;
	char line[512];
	int fd = openat(proc_fd, "self/maps", O_RDONLY | O_CLOEXEC), r = 0;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f) {
		r = -errno;
		close_fd(&fd);
		return r;
	}
	while (r == 0 && fgets(line, sizeof(line), f)) {
		unsigned long a, b;

		if (sscanf(line, "%lx-%lx", &a, &b) != 2)
			continue;
		if (strstr(line, "[stack]"))
			stack = b;
		else if (strstr(line, "[vvar") || strstr(line, "[vdso]"))
			r = add_part(&v, a, b, strstr(line, "[vdso]") != NULL);
	}
	fclose(f);
	if (r == 0 && !v.text)
		r = -ENOENT;
	if (r == 0 && stack && v.start >= stack)
		r = vdso_reserve(&v);
	if (r == 0)
		*ret = v;
	return r;
}

int vdso_reserve(struct vdso *v)
{
	size_t size = v->end - v->start;
	void *place = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (place == MAP_FAILED)
		return -errno;
	/* all by the same distance: the code finds its data pages by it */
	for (unsigned i = 0; i < v->count; i++)
		v->parts[i].to = (uint64_t)place + (v->parts[i].at - v->start);
	v->text = (uint64_t)place + (v->text - v->start);
	v->start = (uint64_t)place;
	v->end = v->start + size;
	v->place = place;
	return 0;
}

int vdso_move(const struct vdso *v)
{
	for (unsigned i = 0; v->place && i < v->count; i++)
		if (mremap((void *)v->parts[i].at, v->parts[i].size, v->parts[i].size, MREMAP_MAYMOVE | MREMAP_FIXED,
			   (void *)v->parts[i].to) == MAP_FAILED)
			return -errno;
	return 0;
}

void vdso_release(struct vdso *v)
{
	if (v->place)
		munmap(v->place, v->end - v->start);
	v->place = NULL;
}
