/* Terminals: making, counting, and the ioctls that are not job control. */
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/fs/devpts/devpts.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/task/task.h"
#include "services/sysd/tty/tty.h"
#include "services/sysd/vfs/fdtable.h"

struct tty *tty_new(void)
{
	struct tty *tty = calloc(1, sizeof(*tty));

	if (!tty)
		return NULL;
	tty->refs = 1;
	tty->index = -1;
	tty->locked = true;
	tty->master_open = true;
	n_tty_init_termios(&tty->termios);
	waitq_init(&tty->read_wait);
	waitq_init(&tty->write_wait);
	waitq_init(&tty->mread_wait);
	waitq_init(&tty->mwrite_wait);
	return tty;
}

struct tty *tty_ref(struct tty *tty)
{
	tty->refs++;
	return tty;
}

void tty_unref(struct tty *tty)
{
	if (!tty || --tty->refs)
		return;
	tty_forget(tty);
	path_put(&tty->pts_root);
	free(tty);
}

uint32_t tty_devnum(const struct tty *tty)
{
	/* new_encode_dev */
	uint32_t minor = (uint32_t)MAX(tty->index, 0);

	return (minor & 0xff) | (TTY_MAJOR_PTS << 8) | ((minor & ~0xffu) << 12);
}

int32_t tty_foreground_pgrp(const struct tty *tty)
{
	return tty->pgrp ? (int32_t)tty->pgrp : -1;
}

void tty_set_winsize(struct tty *tty, const struct abi_winsize *ws)
{
	if (!memcmp(&tty->winsize, ws, sizeof(*ws)))
		return;
	tty->winsize = *ws;
	if (tty->pgrp)
		signal_send_pgrp(tty->pgrp, SIGWINCH, NULL);
}

/* ---- settings ---------------------------------------------------------------------------- */

enum set_when { SET_NOW, SET_DRAIN, SET_FLUSH };

static void keep_locked(struct tty *tty, const struct abi_ktermios *old)
{
	const struct abi_termios *lock = &tty->locked_termios;
	struct abi_ktermios *now = &tty->termios;

	now->iflag = (now->iflag & ~lock->iflag) | (old->iflag & lock->iflag);
	now->oflag = (now->oflag & ~lock->oflag) | (old->oflag & lock->oflag);
	now->cflag = (now->cflag & ~lock->cflag) | (old->cflag & lock->cflag);
	now->lflag = (now->lflag & ~lock->lflag) | (old->lflag & lock->lflag);
	now->line = lock->line ? old->line : now->line;
	for (int i = 0; i < ABI_NCCS; i++)
		now->cc[i] = lock->cc[i] ? old->cc[i] : now->cc[i];
}

static void apply(struct tty *tty, const struct abi_ktermios *to, enum set_when when)
{
	struct abi_ktermios old = tty->termios;

	if (when == SET_FLUSH)
		n_tty_flush_input(tty);
	tty->termios = *to;
	keep_locked(tty, &old);
	/* a pty has no line: always 8 bits, no parity, receiver on */
	tty->termios.cflag = (tty->termios.cflag & ~(uint32_t)(CSIZE | PARENB)) | CS8 | CREAD;
	n_tty_termios_changed(tty, &old);
}

/* Output of a pty is never on its way: the master has it or it stands in the ring for it. */
static long set_termios(struct tty *tty, struct task *t, const struct abi_ktermios *to, enum set_when when)
{
	int err = tty_check_change(tty, t, SIGTTOU);

	if (err)
		return err;
	apply(tty, to, when);
	return 0;
}

static uint32_t speed_of(uint32_t code)
{
	static const uint32_t speeds[] = {0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600,
					  19200, 38400};
	static const uint32_t more[] = {0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000,
					1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000};

	return code & CBAUDEX ? more[code & 15] : speeds[code & 15];
}

static void update_speeds(struct abi_ktermios *k)
{
	if ((k->cflag & CBAUD) != CBAUDEX) { /* not BOTHER */
		k->ospeed = speed_of(k->cflag & CBAUD);
		k->ispeed = k->ospeed;
	}
}

static long ioctl_set(struct tty *tty, struct task *t, unsigned cmd, uint64_t arg)
{
	struct abi_ktermios k = tty->termios;
	enum set_when when = SET_NOW;

	switch (cmd) {
	case TCSETSF:
	case ABI_TCSETSF2:
	case TCSETAF:
		when = SET_FLUSH;
		break;
	case TCSETSW:
	case ABI_TCSETSW2:
	case TCSETAW:
		when = SET_DRAIN;
	}
	switch (cmd) {
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		if (user_read(t, &k, arg, sizeof(struct abi_termios)))
			return -EFAULT;
		update_speeds(&k);
		break;
	case ABI_TCSETS2:
	case ABI_TCSETSW2:
	case ABI_TCSETSF2:
		if (user_read(t, &k, arg, sizeof(k)))
			return -EFAULT;
		update_speeds(&k);
		break;
	default: { /* TCSETA*: the low halves */
		struct abi_termio io;

		if (user_get(t, io, arg))
			return -EFAULT;
		k.iflag = (k.iflag & 0xffff0000u) | io.iflag;
		k.oflag = (k.oflag & 0xffff0000u) | io.oflag;
		k.cflag = (k.cflag & 0xffff0000u) | io.cflag;
		k.lflag = (k.lflag & 0xffff0000u) | io.lflag;
		k.line = io.line;
		memcpy(k.cc, io.cc, sizeof(io.cc));
	}
	}
	return set_termios(tty, t, &k, when);
}

static long ioctl_get(struct tty *tty, struct task *t, unsigned cmd, uint64_t arg)
{
	struct abi_termio io = {0};

	switch (cmd) {
	case TCGETS:
		return user_write(t, arg, &tty->termios, sizeof(struct abi_termios));
	case ABI_TCGETS2:
		return user_put(t, tty->termios, arg);
	default:
		io.iflag = (uint16_t)tty->termios.iflag;
		io.oflag = (uint16_t)tty->termios.oflag;
		io.cflag = (uint16_t)tty->termios.cflag;
		io.lflag = (uint16_t)tty->termios.lflag;
		io.line = tty->termios.line;
		memcpy(io.cc, tty->termios.cc, sizeof(io.cc));
		return user_put(t, io, arg);
	}
}

static long flow(struct tty *tty, struct task *t, uint64_t arg)
{
	int err = tty_check_change(tty, t, SIGTTOU);
	uint8_t c;

	if (err)
		return err;
	switch (arg) {
	case TCOOFF:
		if (!tty->tco_stopped) {
			tty->tco_stopped = true;
			tty_stop(tty);
		}
		return 0;
	case TCOON:
		if (tty->tco_stopped) {
			tty->tco_stopped = false;
			tty_start(tty);
		}
		return 0;
	case TCIOFF:
	case TCION:
		c = tty->termios.cc[arg == TCIOFF ? ABI_VSTOP : ABI_VSTART];
		if (c && tty_out_put(tty, &c, 1))
			tty_out_kick(tty);
		return 0;
	}
	return -EINVAL;
}

static long flush(struct tty *tty, struct task *t, uint64_t arg, bool master)
{
	int err = master ? 0 : tty_check_change(tty, t, SIGTTOU);

	if (err)
		return err;
	if (arg != TCIFLUSH && arg != TCOFLUSH && arg != TCIOFLUSH)
		return -EINVAL;
	/* what comes in at one side goes out at the other */
	if (arg == TCIOFLUSH || (arg == TCIFLUSH) == !master)
		n_tty_flush_input(tty);
	if (arg == TCIOFLUSH || (arg == TCOFLUSH) == !master)
		tty_flush_output(tty);
	return 0;
}

static long master_ioctl(struct tty *tty, struct task *t, struct file *file, unsigned cmd, uint64_t arg)
{
	int32_t v;
	uint32_t n;

	switch (cmd) {
	case TIOCGPTN:
		n = (uint32_t)tty->index;
		return user_put(t, n, arg);
	case TIOCSPTLCK:
		if (user_get(t, v, arg))
			return -EFAULT;
		tty->locked = v;
		return 0;
	case TIOCGPTLCK:
		v = tty->locked;
		return user_put(t, v, arg);
	case TIOCPKT:
		if (user_get(t, v, arg))
			return -EFAULT;
		if (v && !tty->packet)
			tty->packet_status = 0;
		tty->packet = v;
		return 0;
	case TIOCGPKT:
		v = tty->packet;
		return user_put(t, v, arg);
	case TIOCSIG:
		if (arg < 1 || arg > SIG_COUNT)
			return -EINVAL;
		if (tty->pgrp)
			signal_send_pgrp(tty->pgrp, (int)arg, NULL);
		return 0;
	case TIOCGPTPEER: {
		struct file *f;
		int fd, err = pty_open_slave(tty, t, (unsigned)arg, &f);

		if (err)
			return err;
		fd = fd_install(t, f, 0, arg & O_CLOEXEC);
		if (fd < 0)
			file_unref(f);
		return fd;
	}
	}
	return -ENOTTY;
}

static long put_int(struct task *t, uint64_t uaddr, int32_t v)
{
	return user_put(t, v, uaddr);
}

static long simulate_input(struct tty *tty, struct task *t, uint64_t arg)
{
	uint8_t c;

	if (tty_current(t) != tty && !capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	if (user_get(t, c, arg))
		return -EFAULT;
	n_tty_receive(tty, &c, 1);
	return 0;
}

long tty_ioctl(struct tty *tty, struct task *t, struct file *file, bool master, unsigned cmd,
	       uint64_t arg)
{
	struct abi_winsize ws;
	int32_t v;
	long ret;

	if (tty->hung_up && !master)
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	if (master) {
		ret = master_ioctl(tty, t, file, cmd, arg);
		if (ret != -ENOTTY)
			return ret;
	}
	ret = tty_jobctl_ioctl(tty, t, file, master, cmd, arg);
	if (ret != -ENOIOCTLCMD)
		return ret;
	switch (cmd) {
	case TCGETS:
	case ABI_TCGETS2:
	case TCGETA:
		return ioctl_get(tty, t, cmd, arg);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case ABI_TCSETS2:
	case ABI_TCSETSW2:
	case ABI_TCSETSF2:
	case TCSETA:
	case TCSETAW:
	case TCSETAF:
		return ioctl_set(tty, t, cmd, arg);
	case TIOCGLCKTRMIOS:
		return user_put(t, tty->locked_termios, arg);
	case TIOCSLCKTRMIOS:
		if (!capable(t, CAP_SYS_ADMIN))
			return -EPERM;
		return user_get(t, tty->locked_termios, arg);
	case TIOCGWINSZ:
		return user_put(t, tty->winsize, arg);
	case TIOCSWINSZ:
		if (user_get(t, ws, arg))
			return -EFAULT;
		tty_set_winsize(tty, &ws);
		return 0;
	case TIOCINQ:
		return put_int(t, arg, master ? (int32_t)tty_out_count(tty) : (int32_t)n_tty_input_count(tty));
	case TIOCOUTQ:
		return put_int(t, arg, 0);
	case TCXONC:
		return flow(tty, t, arg);
	case TCFLSH:
		return flush(tty, t, arg, master);
	case TCSBRK:
	case TCSBRKP:
	case TIOCSBRK:
	case TIOCCBRK: /* a pty has no line to break; draining is done at once */
		return tty_check_change(tty, t, SIGTTOU);
	case TIOCEXCL:
		tty->exclusive = true;
		return 0;
	case TIOCNXCL:
		tty->exclusive = false;
		return 0;
	case TIOCGEXCL:
		return put_int(t, arg, tty->exclusive);
	case TIOCGETD:
		return put_int(t, arg, 0);
	case TIOCSETD:
		if (user_get(t, v, arg))
			return -EFAULT;
		return v ? -EINVAL : 0;
	case TIOCGSOFTCAR:
		return put_int(t, arg, tty->termios.cflag & CLOCAL ? 1 : 0);
	case TIOCSSOFTCAR:
		if (user_get(t, v, arg))
			return -EFAULT;
		tty->termios.cflag = v ? tty->termios.cflag | CLOCAL : tty->termios.cflag & ~(uint32_t)CLOCAL;
		return 0;
	case TIOCGDEV:
		return put_int(t, arg, (int32_t)tty_devnum(tty));
	case TIOCSTI:
		return simulate_input(tty, t, arg);
	case TIOCVHANGUP:
		if (!capable(t, CAP_SYS_ADMIN))
			return -EPERM;
		tty_hangup(tty);
		return 0;
	case TIOCCONS:
		return capable(t, CAP_SYS_ADMIN) ? 0 : -EPERM;
	}
	return -ENOTTY;
}
