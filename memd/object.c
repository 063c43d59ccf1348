/* Descriptors that sysd passed once and names by an id from then on. sysd decides what is forgotten; the
 * cap here only bounds what a broken sysd could do. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "memd/memd.h"

static struct list *head(struct memd *m, uint64_t id)
{
	return &m->objects[(id * 0x9e3779b97f4a7c15ull) >> 56];
}

struct object *object_find(struct memd *m, uint64_t id)
{
	struct object *o;

	LIST_FOR_EACH(o, head(m, id), node)
		if (o->id == id)
			return o;
	return NULL;
}

static void object_free(struct memd *m, struct object *o)
{
	list_del(&o->node);
	m->object_count--;
	close_fd(&o->fd);
	close_fd(&o->ro_fd);
	free(o);
}

int object_add(struct memd *m, uint64_t id, int fd)
{
	object_forget(m, id);
	struct object *o = m->object_count < OBJECT_MAX ? calloc(1, sizeof(*o)) : NULL;

	if (!o) {
		close(fd);
		return -ENOMEM;
	}
	o->id = id;
	o->fd = fd;
	o->ro_fd = -1;
	o->access = fcntl(fd, F_GETFL) & O_ACCMODE;
	list_add(head(m, id), &o->node);
	m->object_count++;
	return 0;
}

void object_forget(struct memd *m, uint64_t id)
{
	struct object *o = object_find(m, id);

	if (o)
		object_free(m, o);
}

void object_forget_all(struct memd *m)
{
	for (size_t i = 0; i < OBJECT_HASH; i++)
		while (!list_empty(&m->objects[i]))
			object_free(m, LIST_FIRST(&m->objects[i], struct object, node));
}

int reopen_read_only(struct memd *m, int fd)
{
	char path[64];

	if (m->proc_fd < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "self/fd/%d", fd);
	int ro = openat(m->proc_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return ro < 0 ? -errno : ro;
}

int object_fd(struct memd *m, struct object *o, bool writable)
{
	if (writable)
		return o->access == O_RDWR ? o->fd : -EACCES;
	if (o->access == O_RDONLY)
		return o->fd;
	if (!o->ro_tried) {
		o->ro_tried = true;
		o->ro_fd = reopen_read_only(m, o->fd);
		if (o->ro_fd < 0)
			o->ro_fd = -1;
	}
	return o->ro_fd >= 0 ? o->ro_fd : -EACCES;
}
