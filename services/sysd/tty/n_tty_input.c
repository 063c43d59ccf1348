/* N_TTY, from the terminal: special characters, line editing and echo (termios(3)). */
#include <ctype.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include "common/base/util.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/tty/tty.h"

#define EOF_MARK 0 /* in the ring, at the end of a line */

static bool iflag(const struct tty *tty, uint32_t f)
{
	return tty->termios.iflag & f;
}
static bool lflag(const struct tty *tty, uint32_t f)
{
	return tty->termios.lflag & f;
}
static bool is_cc(const struct tty *tty, unsigned which, uint8_t c)
{
	return tty->termios.cc[which] == c && c; /* 0: disabled */
}
static uint8_t *in_at(struct tty *tty, uint32_t pos)
{
	return &tty->in[pos % TTY_IN_SIZE];
}
static bool continuation(const struct tty *tty, uint8_t c)
{
	return iflag(tty, ABI_IUTF8) && (c & 0xc0) == 0x80;
}
static bool control(uint8_t c)
{
	return c < 0x20 || c == 0x7f;
}

/* ---- echo -------------------------------------------------------------------------------- */

static void echo_raw(struct tty *tty, uint8_t c)
{
	n_tty_output_char(tty, c, true); /* what finds no room is lost */
}

static void echo_char(struct tty *tty, uint8_t c)
{
	if (lflag(tty, ECHOCTL) && control(c) && c != '\t') {
		echo_raw(tty, '^');
		echo_raw(tty, c ^ 0100);
	} else {
		echo_raw(tty, c);
	}
}

static void finish_erasing(struct tty *tty)
{
	if (tty->erasing) {
		echo_raw(tty, '/');
		tty->erasing = false;
	}
}

static void echo_input(struct tty *tty, uint8_t c)
{
	if (!lflag(tty, ECHO))
		return;
	finish_erasing(tty);
	if (c == '\n') {
		echo_raw(tty, '\n');
		return;
	}
	if (tty->canon_head == tty->head)
		tty->canon_column = tty->column;
	echo_char(tty, c);
}

static void back_over(struct tty *tty)
{
	echo_raw(tty, '\b');
	echo_raw(tty, ' ');
	echo_raw(tty, '\b');
}

/* Columns between the tab at `at` and what stands before it. */
static void erase_tab(struct tty *tty, uint32_t at)
{
	uint32_t col = 0, pos = at;
	bool after_tab = false, from_start;
	uint32_t width;

	while (pos != tty->canon_head) {
		uint8_t c = *in_at(tty, --pos);

		if (c == '\t') {
			after_tab = true;
			break;
		}
		if (control(c))
			col += lflag(tty, ECHOCTL) ? 2 : 0;
		else if (!continuation(tty, c))
			col++;
	}
	from_start = !after_tab;
	if (from_start)
		col += tty->canon_column;
	width = 8 - (col & 7);
	while (width--) {
		if (tty_out_room(tty, true))
			tty_out_put(tty, (const uint8_t *)"\b", 1);
		if (tty->column)
			tty->column--;
	}
}

/* ---- the ring ---------------------------------------------------------------------------- */

static bool ring_full(const struct tty *tty)
{
	return tty->head - tty->tail >= TTY_IN_SIZE - 1;
}

static void put(struct tty *tty, uint8_t c)
{
	uint32_t i = tty->head % TTY_IN_SIZE;

	tty->line_end[i / 64] &= ~(1ull << (i % 64));
	tty->in[i] = c;
	tty->head++;
}

static void put_parmrk(struct tty *tty, uint8_t c)
{
	/* with PARMRK a real \377 is told from the mark by doubling it */
	if (c == 0xff && iflag(tty, PARMRK) && !iflag(tty, ISTRIP))
		put(tty, c);
	put(tty, c);
}

static void end_line(struct tty *tty)
{
	uint32_t i = (tty->head - 1) % TTY_IN_SIZE;

	tty->line_end[i / 64] |= 1ull << (i % 64);
	tty->canon_head = tty->head;
	waitq_wake(&tty->read_wait, INT32_MAX, EPOLLIN | EPOLLRDNORM);
}

void n_tty_flush_input(struct tty *tty)
{
	tty->tail = tty->canon_head = tty->head;
	memset(tty->line_end, 0, sizeof(tty->line_end));
	tty->lnext = tty->erasing = false;
	if (tty->packet) {
		tty->packet_status |= TIOCPKT_FLUSHREAD;
		waitq_wake(&tty->mread_wait, INT32_MAX, EPOLLPRI | EPOLLIN);
	}
	tty_in_drained(tty);
}

/* ---- editing ----------------------------------------------------------------------------- */

static void erase_echo(struct tty *tty, uint8_t c, uint32_t at, uint32_t count, bool word_or_kill)
{
	if (lflag(tty, ECHOPRT)) {
		if (!tty->erasing) {
			echo_raw(tty, '\\');
			tty->erasing = true;
		}
		echo_char(tty, c);
		for (uint32_t i = 1; i < count; i++)
			echo_raw(tty, *in_at(tty, at + i));
	} else if (!word_or_kill && !lflag(tty, ECHOE)) {
		echo_char(tty, tty->termios.cc[ABI_VERASE]);
	} else if (c == '\t') {
		erase_tab(tty, at);
	} else {
		if (control(c) && lflag(tty, ECHOCTL))
			back_over(tty);
		if (!control(c) || lflag(tty, ECHOCTL))
			back_over(tty);
	}
}

static void erase(struct tty *tty, uint8_t key)
{
	bool word = is_cc(tty, ABI_VWERASE, key) && lflag(tty, IEXTEN), kill = false;
	bool seen_word = false;

	if (is_cc(tty, ABI_VERASE, key))
		word = false;
	else if (!word)
		kill = true;
	if (tty->head == tty->canon_head)
		return;
	if (kill) {
		if (!lflag(tty, ECHO)) {
			tty->head = tty->canon_head;
			return;
		}
		if (!lflag(tty, ECHOK) || !lflag(tty, ECHOKE) || !lflag(tty, ECHOE)) {
			tty->head = tty->canon_head;
			finish_erasing(tty);
			echo_char(tty, tty->termios.cc[ABI_VKILL]);
			if (lflag(tty, ECHOK))
				echo_raw(tty, '\n');
			return;
		}
	}
	while (tty->head != tty->canon_head) {
		uint32_t at = tty->head, count;
		uint8_t c;

		do {
			c = *in_at(tty, --at);
		} while (continuation(tty, c) && at != tty->canon_head);
		if (continuation(tty, c))
			break; /* half a character stays */
		if (word) {
			if (isalnum(c) || c == '_')
				seen_word = true;
			else if (seen_word)
				break;
		}
		count = tty->head - at;
		tty->head = at;
		if (lflag(tty, ECHO))
			erase_echo(tty, c, at, count, word || kill);
		if (!word && !kill)
			break;
	}
	if (tty->head == tty->canon_head && lflag(tty, ECHO))
		finish_erasing(tty);
}

static void reprint(struct tty *tty, uint8_t c)
{
	finish_erasing(tty);
	echo_char(tty, c);
	echo_raw(tty, '\n');
	for (uint32_t i = tty->canon_head; i != tty->head; i++)
		echo_char(tty, *in_at(tty, i));
}

static void signal_char(struct tty *tty, int signo, uint8_t c)
{
	if (tty->pgrp)
		signal_send_pgrp(tty->pgrp, signo, NULL);
	if (!lflag(tty, NOFLSH)) {
		tty_flush_output(tty);
		n_tty_flush_input(tty);
	}
	if (iflag(tty, IXON))
		tty_start(tty);
	if (lflag(tty, ECHO))
		echo_char(tty, c);
}

/* Characters that work at any time. True: it was one. */
static bool control_char(struct tty *tty, uint8_t c)
{
	if (iflag(tty, IXON)) {
		if (is_cc(tty, ABI_VSTART, c)) {
			tty_start(tty);
			return true;
		}
		if (is_cc(tty, ABI_VSTOP, c)) {
			tty_stop(tty);
			return true;
		}
	}
	if (lflag(tty, ISIG)) {
		if (is_cc(tty, ABI_VINTR, c)) {
			signal_char(tty, SIGINT, c);
			return true;
		}
		if (is_cc(tty, ABI_VQUIT, c)) {
			signal_char(tty, SIGQUIT, c);
			return true;
		}
		if (is_cc(tty, ABI_VSUSP, c)) {
			signal_char(tty, SIGTSTP, c);
			return true;
		}
	}
	return false;
}

/* Canonical mode. True: nothing is left to put. */
static bool canon_char(struct tty *tty, uint8_t c)
{
	if (is_cc(tty, ABI_VERASE, c) || is_cc(tty, ABI_VKILL, c) ||
	    (is_cc(tty, ABI_VWERASE, c) && lflag(tty, IEXTEN))) {
		erase(tty, c);
		return true;
	}
	if (is_cc(tty, ABI_VLNEXT, c) && lflag(tty, IEXTEN)) {
		tty->lnext = true;
		if (lflag(tty, ECHO)) {
			finish_erasing(tty);
			if (lflag(tty, ECHOCTL)) {
				echo_raw(tty, '^');
				echo_raw(tty, '\b');
			}
		}
		return true;
	}
	if (is_cc(tty, ABI_VREPRINT, c) && lflag(tty, ECHO) && lflag(tty, IEXTEN)) {
		reprint(tty, c);
		return true;
	}
	if (c == '\n') {
		if (lflag(tty, ECHO | ECHONL))
			echo_raw(tty, '\n');
		put(tty, c);
		end_line(tty);
		return true;
	}
	if (is_cc(tty, ABI_VEOF, c)) {
		put(tty, EOF_MARK);
		end_line(tty);
		return true;
	}
	if (is_cc(tty, ABI_VEOL, c) || (is_cc(tty, ABI_VEOL2, c) && lflag(tty, IEXTEN))) {
		echo_input(tty, c);
		put_parmrk(tty, c);
		end_line(tty);
		return true;
	}
	return false;
}

static void receive_char(struct tty *tty, uint8_t c)
{
	bool literal = tty->lnext;

	if (iflag(tty, ISTRIP))
		c &= 0x7f;
	if (iflag(tty, IUCLC) && lflag(tty, IEXTEN))
		c = (uint8_t)tolower(c);
	tty->lnext = false;
	if (!literal) {
		if (control_char(tty, c))
			return;
		if (tty->stopped && iflag(tty, IXON) && iflag(tty, IXANY))
			tty_start(tty);
		if (c == '\r') {
			if (iflag(tty, IGNCR))
				return;
			if (iflag(tty, ICRNL))
				c = '\n';
		} else if (c == '\n' && iflag(tty, INLCR)) {
			c = '\r';
		}
		if (lflag(tty, ICANON) && canon_char(tty, c))
			return;
	}
	/* one place is kept for what ends the line */
	if (lflag(tty, ICANON) && tty->head - tty->tail >= TTY_IN_SIZE - 2) {
		if (iflag(tty, IMAXBEL))
			echo_raw(tty, '\a');
		return;
	}
	echo_input(tty, c);
	put_parmrk(tty, c);
}

size_t n_tty_receive(struct tty *tty, const uint8_t *buf, size_t size)
{
	uint32_t before = tty->head;
	size_t i;

	for (i = 0; i < size; i++) {
		bool editing = lflag(tty, ICANON) && tty->canon_head == tty->tail;

		/* A line that is too long loses what is too much; whole lines wait for their reader. Two
		 * places, as PARMRK may double a byte. */
		if (!editing && tty->head - tty->tail >= TTY_IN_SIZE - 3)
			break;
		if (ring_full(tty) && editing && !control(buf[i]))
			continue;
		receive_char(tty, buf[i]);
	}
	if (i < size)
		tty->room_wanted = true;
	if (!lflag(tty, ICANON) && tty->head != before)
		waitq_wake(&tty->read_wait, INT32_MAX, EPOLLIN | EPOLLRDNORM);
	if (i)
		tty_out_kick(tty);
	return i;
}
