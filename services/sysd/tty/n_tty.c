/* N_TTY: reading, settings, and who is woken. */
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/ktimer.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/task/task.h"
#include "services/sysd/tty/bridge.h"
#include "services/sysd/tty/tty.h"

void n_tty_init_termios(struct abi_ktermios *t)
{
	/* INIT_C_CC of Linux: ^C ^\ DEL ^U ^D, MIN 1, ^Q ^S ^Z ^R ^O ^W ^V */
	*t = (struct abi_ktermios){
		.iflag = ICRNL | IXON,
		.oflag = OPOST | ONLCR,
		.cflag = B38400 | CS8 | CREAD,
		.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
		.cc = {[ABI_VINTR] = 3, [ABI_VQUIT] = 28, [ABI_VERASE] = 127, [ABI_VKILL] = 21, [ABI_VEOF] = 4,
		       [ABI_VMIN] = 1, [ABI_VSTART] = 17, [ABI_VSTOP] = 19, [ABI_VSUSP] = 26,
		       [ABI_VREPRINT] = 18, [ABI_VDISCARD] = 15, [ABI_VWERASE] = 23, [ABI_VLNEXT] = 22},
		.ispeed = 38400,
		.ospeed = 38400,
	};
}

static bool canonical(const struct tty *tty)
{
	return (tty->termios.lflag & (ICANON | EXTPROC)) == ICANON;
}

static bool ends_line(const struct tty *tty, uint32_t pos)
{
	uint32_t i = pos % TTY_IN_SIZE;

	return tty->line_end[i / 64] >> (i % 64) & 1;
}

bool n_tty_input_available(const struct tty *tty, bool poll)
{
	uint32_t least = 1;

	if (canonical(tty))
		return tty->canon_head != tty->tail;
	if (poll && !tty->termios.cc[ABI_VTIME] && tty->termios.cc[ABI_VMIN])
		least = tty->termios.cc[ABI_VMIN];
	return tty->head - tty->tail >= least;
}

uint32_t n_tty_input_count(const struct tty *tty)
{
	uint32_t n;

	if (!canonical(tty))
		return tty->head - tty->tail;
	n = tty->canon_head - tty->tail;
	for (uint32_t i = tty->tail; i != tty->canon_head; i++)
		if (ends_line(tty, i) && !tty->in[i % TTY_IN_SIZE])
			n--;
	return n;
}

void tty_in_drained(struct tty *tty)
{
	if (!tty->room_wanted)
		return;
	tty->room_wanted = false;
	waitq_wake(&tty->mwrite_wait, INT32_MAX, EPOLLOUT | EPOLLWRNORM);
	if (tty->bridge)
		tty_bridge_input_room(tty->bridge);
}

void tty_out_kick(struct tty *tty)
{
	if (!tty_out_count(tty))
		return;
	waitq_wake(&tty->mread_wait, INT32_MAX, EPOLLIN | EPOLLRDNORM);
	if (tty->bridge)
		tty_bridge_output(tty->bridge);
}

void n_tty_termios_changed(struct tty *tty, const struct abi_ktermios *old)
{
	const struct abi_ktermios *now = &tty->termios;

	if ((old->lflag ^ now->lflag) & (ICANON | EXTPROC)) {
		memset(tty->line_end, 0, sizeof(tty->line_end));
		if (!(now->lflag & ICANON) || tty->head == tty->tail) {
			tty->canon_head = tty->tail;
		} else {
			/* what was typed before is a line of its own */
			uint32_t i = (tty->head - 1) % TTY_IN_SIZE;

			tty->line_end[i / 64] |= 1ull << (i % 64);
			tty->canon_head = tty->head;
		}
		tty->erasing = tty->lnext = false;
	}
	if (!(now->iflag & IXON) && old->iflag & IXON)
		tty_start(tty);
	if (tty->packet) {
		bool old_flow = old->iflag & IXON && old->cc[ABI_VSTOP] == 19 && old->cc[ABI_VSTART] == 17;
		bool flow = now->iflag & IXON && now->cc[ABI_VSTOP] == 19 && now->cc[ABI_VSTART] == 17;

		if (old_flow != flow)
			tty->packet_status = (uint8_t)((tty->packet_status & ~(TIOCPKT_DOSTOP | TIOCPKT_NOSTOP)) |
						       (flow ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP));
		if ((old->lflag ^ now->lflag) & EXTPROC || now->lflag & EXTPROC)
			tty->packet_status |= TIOCPKT_IOCTL;
		if (tty->packet_status)
			waitq_wake(&tty->mread_wait, INT32_MAX, EPOLLPRI | EPOLLIN);
	}
	waitq_wake(&tty->read_wait, INT32_MAX, 0);
	waitq_wake(&tty->write_wait, INT32_MAX, 0);
}

/* At most one line, at most `max` bytes. An EOF mark right behind the last byte is taken with it, so
 * that it does not end the next read too. */
static ssize_t copy_line(struct tty *tty, struct uio *u, size_t max)
{
	size_t n = 0;
	bool eof = false;
	uint32_t count = tty->canon_head - tty->tail;

	while (n < count) {
		uint32_t pos = tty->tail + (uint32_t)n;

		if (ends_line(tty, pos) && !tty->in[pos % TTY_IN_SIZE]) {
			eof = true;
			break;
		}
		if (n == max)
			break;
		n++;
		if (ends_line(tty, pos))
			break;
	}
	for (size_t i = 0; i < n;) {
		uint32_t at = (tty->tail + (uint32_t)i) % TTY_IN_SIZE;
		ssize_t r = uio_copy_to(u, &tty->in[at], MIN(n - i, (size_t)(TTY_IN_SIZE - at)));

		if (r <= 0)
			return i ? (ssize_t)i : -EFAULT;
		i += (size_t)r;
	}
	tty->tail += (uint32_t)n + eof;
	return (ssize_t)n;
}

static ssize_t copy_raw(struct tty *tty, struct uio *u, size_t max)
{
	size_t n = MIN(max, (size_t)(tty->head - tty->tail));
	size_t done = 0;

	while (done < n) {
		uint32_t at = tty->tail % TTY_IN_SIZE;
		ssize_t r = uio_copy_to(u, &tty->in[at], MIN(n - done, (size_t)(TTY_IN_SIZE - at)));

		if (r <= 0)
			return done ? (ssize_t)done : -EFAULT;
		tty->tail += (uint32_t)r;
		done += (size_t)r;
	}
	/* in raw mode there are no lines; keep the editing point sane for a later change of mode */
	tty->canon_head = tty->tail;
	return (ssize_t)done;
}

static int wait_input(struct tty *tty, uint64_t deadline)
{
	bool canon = canonical(tty);

	return WAIT_EVENT_INTR_TIMEOUT(&tty->read_wait,
				       n_tty_input_available(tty, false) || tty->hung_up ||
					       !tty->master_open || canonical(tty) != canon,
				       deadline);
}

ssize_t n_tty_read(struct tty *tty, struct file *file, struct uio *u)
{
	struct task *t = current_task();
	const uint8_t *cc = tty->termios.cc;
	size_t done = 0, min = 1;
	uint64_t tenths = (uint64_t)cc[ABI_VTIME] * 100000000ull, first_deadline = KTIMER_NEVER;
	bool between = false; /* VTIME counts between bytes */
	int err = 0;

	if (tty->hung_up)
		return 0;
	if (t) {
		err = tty_check_change(tty, t, SIGTTIN);
		if (err)
			return err;
	}
	if (!canonical(tty)) {
		min = cc[ABI_VMIN];
		between = min && tenths;
		if (!min)
			first_deadline = clock_mono_ns() + tenths;
	}
	while (u->resid) {
		ssize_t n;

		if (!n_tty_input_available(tty, false)) {
			if (!tty->master_open) {
				err = -EIO;
				break;
			}
			if (tty->hung_up)
				break;
			if (!canonical(tty) && done >= MAX(min, 1ul))
				break;
			if (!canonical(tty) && !min && !tenths)
				break;
			if (file->flags & O_NONBLOCK) {
				err = -EAGAIN;
				break;
			}
			err = wait_input(tty, between && done ? clock_mono_ns() + tenths : first_deadline);
			if (err == -ETIMEDOUT) {
				err = 0;
				break;
			}
			if (err)
				break;
			continue;
		}
		if (canonical(tty)) {
			n = copy_line(tty, u, u->resid);
			tty_in_drained(tty);
			return n < 0 && done ? (ssize_t)done : n + (ssize_t)done;
		}
		n = copy_raw(tty, u, u->resid);
		tty_in_drained(tty);
		if (n < 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
		if (done >= MAX(min, 1ul))
			break;
	}
	return done ? (ssize_t)done : err;
}
