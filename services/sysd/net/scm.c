/* Parsing control messages of a sender; see scm.h. */
#include "services/sysd/net/scm.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/util.h"
#include "services/sysd/abi/socket.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"

static int parse_rights(struct task *t, const uint8_t *data, size_t size, struct scm *scm)
{
	unsigned count = (unsigned)(size / sizeof(int32_t)), have = scm->fds ? scm->fds->count : 0;
	struct scm_fds *fds;

	if (!count)
		return 0;
	if (count > ABI_SCM_MAX_FD || have + count > ABI_SCM_MAX_FD)
		return -EINVAL;
	fds = realloc(scm->fds, sizeof(*fds) + (have + count) * sizeof(fds->file[0]));
	if (!fds)
		return -ENOMEM;
	scm->fds = fds;
	fds->count = have;
	fds->uid = t->cred->uid;
	fds->in_flight = false;
	for (unsigned i = 0; i < count; i++) {
		int32_t fd;
		struct file *f;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		f = fd_get_any(t, fd);
		if (!f)
			return -EBADF;
		fds->file[fds->count++] = f;
	}
	return 0;
}

static int parse_creds(struct task *t, const uint8_t *data, struct scm *scm)
{
	const struct cred *c = t->cred;
	struct abi_ucred u;
	struct signal *sig;
	struct task *thread;

	memcpy(&u, data, sizeof(u));
	sig = pids_find_group(t, u.pid);
	thread = sig ? NULL : pids_find_task(t, u.pid);
	if (sig != t->signal && !capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	if (u.uid != c->uid && u.uid != c->euid && u.uid != c->suid && !capable(t, CAP_SETUID))
		return -EPERM;
	if (u.gid != c->gid && u.gid != c->egid && u.gid != c->sgid && !capable(t, CAP_SETGID))
		return -EPERM;
	if (!sig && !thread)
		return -ESRCH;
	if (u.uid == UINT32_MAX || u.gid == UINT32_MAX)
		return -EINVAL;
	scm->has_creds = true;
	scm->pid = sig ? sig->pid : thread->tid;
	scm->uid = u.uid;
	scm->gid = u.gid;
	return 0;
}

void scm_self(struct task *t, struct scm *ret)
{
	*ret = (struct scm){.pid = t->signal->pid, .uid = t->cred->uid, .gid = t->cred->gid};
}

int scm_parse(struct task *t, const uint8_t *control, size_t size, struct scm *ret)
{
	struct abi_cmsghdr h;
	int err = 0;

	scm_self(t, ret);
	for (size_t off = 0; !err && size - off >= sizeof(h); off += ABI_CMSG_ALIGN(h.len)) {
		memcpy(&h, control + off, sizeof(h));
		if (h.len < sizeof(h) || h.len > size - off) {
			err = -EINVAL;
			break;
		}
		if (h.level == ABI_SOL_SOCKET) {
			const uint8_t *data = control + off + sizeof(h);
			size_t n = h.len - sizeof(h);

			if (h.type == ABI_SCM_RIGHTS)
				err = parse_rights(t, data, n, ret);
			else if (h.type == ABI_SCM_CREDENTIALS && n == sizeof(struct abi_ucred))
				err = parse_creds(t, data, ret);
			else
				err = -EINVAL;
		}
		if (ABI_CMSG_ALIGN(h.len) > size - off)
			break;
	}
	if (err)
		scm_done(ret);
	return err;
}

void scm_fds_free(struct scm_fds *fds)
{
	static struct scm_fds *pending;
	static bool busy;

	if (!fds)
		return;
	fds->next = pending;
	pending = fds;
	if (busy)
		return;
	busy = true;
	while ((fds = pending)) {
		pending = fds->next;
		for (unsigned i = 0; i < fds->count; i++)
			file_unref(fds->file[i]);
		free(fds);
	}
	busy = false;
}

struct scm_fds *scm_fds_dup(const struct scm_fds *fds)
{
	size_t size = sizeof(*fds) + fds->count * sizeof(fds->file[0]);
	struct scm_fds *copy = malloc(size);

	if (!copy)
		return NULL;
	memcpy(copy, fds, size);
	copy->in_flight = false;
	for (unsigned i = 0; i < copy->count; i++)
		file_ref(copy->file[i]);
	return copy;
}

void scm_done(struct scm *scm)
{
	scm_fds_free(STEAL_PTR(scm->fds));
}
