/* N_TTY, towards the terminal: output processing (OPOST) and the ring that the master reads. */
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/settle.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/task/task.h"
#include "services/sysd/tty/tty.h"

size_t tty_out_room(const struct tty *tty, bool echo)
{
	size_t room = TTY_OUT_SIZE - tty_out_count(tty);

	if (echo)
		return room;
	return room > TTY_OUT_ECHO ? room - TTY_OUT_ECHO : 0;
}

size_t tty_out_put(struct tty *tty, const uint8_t *buf, size_t size)
{
	size = MIN(size, (size_t)TTY_OUT_SIZE - tty_out_count(tty));
	for (size_t i = 0; i < size; i++)
		tty->out[(tty->out_head + i) % TTY_OUT_SIZE] = buf[i];
	tty->out_head += (uint32_t)size;
	return size;
}

size_t tty_out_get(struct tty *tty, uint8_t *buf, size_t size)
{
	size = MIN(size, tty_out_count(tty));
	for (size_t i = 0; i < size; i++)
		buf[i] = tty->out[(tty->out_tail + i) % TTY_OUT_SIZE];
	tty->out_tail += (uint32_t)size;
	if (size && tty_out_room(tty, false))
		waitq_wake(&tty->write_wait, INT32_MAX, EPOLLOUT | EPOLLWRNORM);
	return size;
}

void tty_flush_output(struct tty *tty)
{
	tty->out_tail = tty->out_head;
	if (tty->packet) {
		tty->packet_status |= TIOCPKT_FLUSHWRITE;
		waitq_wake(&tty->mread_wait, INT32_MAX, EPOLLPRI | EPOLLIN);
	}
	waitq_wake(&tty->write_wait, INT32_MAX, EPOLLOUT | EPOLLWRNORM);
}

void tty_stop(struct tty *tty)
{
	if (tty->stopped)
		return;
	tty->stopped = true;
	if (tty->packet) {
		tty->packet_status = (uint8_t)((tty->packet_status & ~TIOCPKT_START) | TIOCPKT_STOP);
		waitq_wake(&tty->mread_wait, INT32_MAX, EPOLLPRI | EPOLLIN);
	}
}

void tty_start(struct tty *tty)
{
	if (!tty->stopped || tty->tco_stopped)
		return;
	tty->stopped = false;
	if (tty->packet) {
		tty->packet_status = (uint8_t)((tty->packet_status & ~TIOCPKT_STOP) | TIOCPKT_START);
		waitq_wake(&tty->mread_wait, INT32_MAX, EPOLLPRI | EPOLLIN);
	}
	waitq_wake(&tty->write_wait, INT32_MAX, EPOLLOUT | EPOLLWRNORM);
}

static bool continuation(const struct tty *tty, uint8_t c)
{
	return tty->termios.iflag & ABI_IUTF8 && (c & 0xc0) == 0x80;
}

static bool put1(struct tty *tty, uint8_t c, bool echo)
{
	if (!tty_out_room(tty, echo))
		return false;
	tty_out_put(tty, &c, 1);
	return true;
}

bool n_tty_output_char(struct tty *tty, uint8_t c, bool echo)
{
	uint32_t o = tty->termios.oflag;

	if (!(o & OPOST))
		return put1(tty, c, echo);
	switch (c) {
	case '\n':
		if (o & ONLRET)
			tty->column = 0;
		if (o & ONLCR) {
			if (tty_out_room(tty, echo) < 2)
				return false;
			tty->column = tty->canon_column = 0;
			tty_out_put(tty, (const uint8_t *)"\r\n", 2);
			return true;
		}
		tty->canon_column = tty->column;
		break;
	case '\r':
		if (o & ONOCR && !tty->column)
			return true;
		if (o & OCRNL) {
			c = '\n';
			if (o & ONLRET)
				tty->column = tty->canon_column = 0;
			break;
		}
		tty->column = tty->canon_column = 0;
		break;
	case '\t': {
		uint32_t spaces = 8 - (tty->column & 7);

		if ((o & TABDLY) == XTABS) {
			if (tty_out_room(tty, echo) < spaces)
				return false;
			tty->column += spaces;
			tty_out_put(tty, (const uint8_t *)"        ", spaces);
			return true;
		}
		if (!put1(tty, c, echo))
			return false;
		tty->column += spaces;
		return true;
	}
	case '\b':
		if (tty->column)
			tty->column--;
		break;
	default:
		if (c < 0x20 || c == 0x7f)
			break;
		if (o & OLCUC)
			c = (uint8_t)toupper(c);
		if (!put1(tty, c, echo))
			return false;
		if (!continuation(tty, c))
			tty->column++;
		return true;
	}
	return put1(tty, c, echo);
}

/* What can be put now: bytes taken from buf. */
static size_t output_some(struct tty *tty, const uint8_t *buf, size_t size)
{
	size_t n = 0;

	if (tty->stopped)
		return 0;
	if (!(tty->termios.oflag & OPOST))
		return tty_out_put(tty, buf, MIN(size, tty_out_room(tty, false)));
	while (n < size && n_tty_output_char(tty, buf[n], false))
		n++;
	return n;
}

ssize_t n_tty_write(struct tty *tty, struct file *file, struct uio *u)
{
	struct task *t = current_task();
	uint8_t buf[1024];
	ssize_t done = 0;
	int err = 0;

	if (tty->bridge)
		settle();
	if (tty->termios.lflag & TOSTOP && t) {
		err = tty_check_change(tty, t, SIGTTOU);
		if (err)
			return err;
	}
	while (u->resid && !err) {
		ssize_t got = uio_copy_from(u, buf, MIN(u->resid, sizeof(buf)));
		size_t off = 0;

		if (got <= 0)
			return done ? done : got;
		while (off < (size_t)got) {
			size_t n;

			if (tty->hung_up || !tty->master_open) {
				err = -EIO;
				break;
			}
			n = output_some(tty, buf + off, (size_t)got - off);
			off += n;
			done += (ssize_t)n;
			if (n)
				tty_out_kick(tty);
			if (off == (size_t)got)
				break;
			if (file->flags & O_NONBLOCK) {
				err = -EAGAIN;
				break;
			}
			err = WAIT_EVENT_INTR(&tty->write_wait,
					      (!tty->stopped && tty_out_room(tty, false) >= 8) ||
						      tty->hung_up || !tty->master_open);
			if (err)
				break;
		}
	}
	return done ? done : err;
}
