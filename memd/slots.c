/* Sets of slots: memfds through which one guest process and sysd talk (common/slot/slot.h). Making one,
 * passing it and mapping it costs as much as the host's whole fork, so sets are used again: sysd keeps
 * its mapping, clears the content, and names the set in its next fork order or gives it back for a blank.
 *
 * A set may have a second life only when no process can have it mapped any more: its own process is reaped,
 * and never made a child. (The runtime keeps the mapping from children, but hostile code can undo that.) */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "memd/memd.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

#define GRANTED_READY 2

int slots_memfd_new(void)
{
	CLEANUP_CLOSE int fd = memfd_create("sbx-slots", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("sbx-slots", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, SBX_SLOTS_SIZE) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return -errno;
	return STEAL_FD(fd);
}

void slots_init(struct memd *m)
{
	list_init(&m->granted);
	list_init(&m->given);
	m->granted_count = 0;
}

void slots_free(struct slots *s)
{
	if (!s)
		return;
	list_del(&s->node);
	close_fd(&s->fd);
	free(s);
}

void slots_lose(struct memd *m, struct slots *s)
{
	if (s && s->at_sysd)
		memd_send_quiet(m, &(struct memd_msg){.kind = MEMD_SLOTS, .object = s->id});
	slots_free(s);
}

void slots_done(struct memd *m)
{
	while (!list_empty(&m->granted))
		slots_free(LIST_FIRST(&m->granted, struct slots, node));
	while (!list_empty(&m->given))
		slots_free(LIST_FIRST(&m->given, struct slots, node));
	m->granted_count = 0;
}

static struct slots *slots_new(struct memd *m)
{
	struct slots *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	list_init(&s->node);
	s->fd = slots_memfd_new();
	if (s->fd < 0) {
		free(s);
		return NULL;
	}
	s->id = ++m->next_slots_id;
	return s;
}

struct slots *slots_take_granted(struct memd *m, uint64_t id)
{
	struct slots *s;

	LIST_FOR_EACH(s, &m->granted, node)
		if (s->id == id) {
			list_del(&s->node);
			m->granted_count--;
			return s;
		}
	return NULL;
}

void slots_grant(struct memd *m, struct slots *s)
{
	list_add_tail(&m->granted, &s->node);
	m->granted_count++;
}

void slots_give(struct memd *m, struct slots *s)
{
	list_add(&m->given, &s->node);
}

struct slots *slots_for_blank(struct memd *m)
{
	struct slots *s;

	if (list_empty(&m->given))
		return slots_new(m);
	s = LIST_FIRST(&m->given, struct slots, node);
	list_del(&s->node);
	return s;
}

int slots_announce(struct memd *m, bool quiet)
{
	struct slots *s = slots_new(m);
	struct memd_msg msg = {.kind = MEMD_SLOTS};

	if (!s)
		return -ENOMEM;
	msg.object = s->id;
	msg.ticket = memd_pass_fd(m, s->fd);
	if (!msg.ticket) {
		slots_free(s);
		return -EAGAIN;
	}
	s->at_sysd = true;
	slots_grant(m, s);
	return quiet ? memd_send_quiet(m, &msg) : memd_send(m, &msg);
}

uint64_t slots_size(const struct slots *s)
{
	struct stat st;

	return fstat(s->fd, &st) < 0 ? UINT64_MAX : (uint64_t)st.st_blocks * 512;
}

void slots_prepare(struct memd *m)
{
	if (m->zygote && m->granted_count < GRANTED_READY)
		slots_announce(m, true);
}
