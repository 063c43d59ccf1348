/* SIGIO and SIGURG: to whom a file's events go (fcntl(2), F_SETOWN, F_SETSIG). */
#include "services/sysd/vfs/internal.h"

#include <linux/capability.h>

#include "services/sysd/abi/fcntl.h"
#include "services/sysd/signal/signal.h"

static const struct abi_siginfo *info_of(const struct file *f, int signo, int code, uint32_t band,
					 struct abi_siginfo *buf)
{
	if (!f->owner_sig)
		return NULL; /* plain SIGIO carries SI_KERNEL */
	memset(buf, 0, sizeof(*buf));
	buf->si_signo = signo;
	buf->si_code = code;
	buf->poll.band = band;
	buf->poll.fd = f->owner_fd;
	return buf;
}

void file_set_owner(struct file *f, const struct task *t, int type, int32_t pid)
{
	f->owner_type = type;
	f->owner_pid = pid;
	f->owner_uid = t->cred->uid;
	f->owner_euid = t->cred->euid;
}

/* kill(2)'s rule with the credentials of who set the owner, whoever opened the file. */
static bool may_signal(const struct file *f, const struct task *to)
{
	const struct cred *c = to->cred;

	return !f->owner_euid || f->owner_euid == c->suid || f->owner_euid == c->uid || f->owner_uid == c->suid ||
	       f->owner_uid == c->uid;
}

static void send_pgrp(struct file *f, int signo, const struct abi_siginfo *info)
{
	struct signal *sig;

	LIST_FOR_EACH (sig, signal_all(), all_node)
		if (sig->pgid == (uint32_t)f->owner_pid && sig->leader && may_signal(f, sig->leader))
			signal_send_group(sig, signo, info);
}

static void send_info(struct file *f, int signo, const struct abi_siginfo *info)
{
	if (!f->owner_pid)
		return;
	if (f->owner_type == ABI_F_OWNER_TID) {
		struct task *t = task_find((uint32_t)f->owner_pid);

		if (t && may_signal(f, t))
			signal_send_task(t, signo, info);
	} else if (f->owner_type == ABI_F_OWNER_PGRP) {
		send_pgrp(f, signo, info);
	} else {
		struct signal *sig = signal_find((uint32_t)f->owner_pid);

		if (sig && sig->leader && may_signal(f, sig->leader))
			signal_send_group(sig, signo, info);
	}
}

static void send(struct file *f, int code, uint32_t band)
{
	int signo = f->owner_sig ? f->owner_sig : SIGIO;
	struct abi_siginfo buf;

	send_info(f, signo, info_of(f, signo, code, band, &buf));
}

void file_sigurg(struct file *f)
{
	send_info(f, SIGURG, NULL);
}

void file_sigio(struct file *f, int code, uint32_t band)
{
	if (f->async)
		send(f, code, band);
}

void file_sigio_force(struct file *f)
{
	send(f, 3 /* POLL_MSG */, 0x400 /* EPOLLMSG */);
}
