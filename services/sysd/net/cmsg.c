/* Control messages to a receiver. */
#include <errno.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/socket.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"

static void used(struct sock_msg *m, size_t n)
{
	n = MIN(n, m->control_room);
	m->ucontrol += n;
	m->control_room -= n;
	m->control_used += n;
}

void sock_put_cmsg(struct sock_msg *m, int level, int type, const void *data, size_t size)
{
	struct abi_cmsghdr h = {ABI_CMSG_LEN(size), level, type};

	if (!m->ucontrol || m->control_room < sizeof(h)) {
		m->out_flags |= MSG_CTRUNC;
		return;
	}
	if (m->control_room < h.len) {
		m->out_flags |= MSG_CTRUNC;
		h.len = m->control_room;
	}
	if (user_put(m->task, h, m->ucontrol) ||
	    user_write(m->task, m->ucontrol + sizeof(h), data, h.len - sizeof(h)))
		return;
	used(m, ABI_CMSG_SPACE(size));
}

void sock_put_rights(struct sock_msg *m, struct scm_fds *fds)
{
	uint64_t udata = m->ucontrol + sizeof(struct abi_cmsghdr);
	unsigned room = 0, done = 0;

	if (m->ucontrol && m->control_room > sizeof(struct abi_cmsghdr))
		room = (unsigned)((m->control_room - sizeof(struct abi_cmsghdr)) / sizeof(int32_t));
	while (done < MIN(room, fds->count)) {
		int32_t fd = fd_install(m->task, fds->file[done], 0, m->cloexec);

		if (fd < 0)
			break;
		file_ref(fds->file[done]); /* the table took one, fds keeps its own */
		if (user_put(m->task, fd, udata + done * sizeof(fd))) {
			fd_close(m->task, fd);
			break;
		}
		done++;
	}
	if (done) {
		struct abi_cmsghdr h = {ABI_CMSG_LEN(done * sizeof(int32_t)), ABI_SOL_SOCKET,
					ABI_SCM_RIGHTS};

		if (!user_put(m->task, h, m->ucontrol))
			used(m, ABI_CMSG_SPACE(done * sizeof(int32_t)));
	}
	if (done < fds->count)
		m->out_flags |= MSG_CTRUNC;
	scm_fds_free(fds);
}
