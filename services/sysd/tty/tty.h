/* Terminals. Every terminal of a sandbox is a pseudoterminal: struct tty is the pair, seen from the
 * slave. Input comes from the master (or from the launcher's terminal through a bridge), passes the N_TTY line
 * discipline, which edits lines, echoes and makes signals, and is read from the slave; what is
 * written to the slave passes output processing into a ring that the master reads.
 *
 * A group's signal->tty is not a reference: when a tty goes, it is taken out of all groups. */
#ifndef SYSD_TTY_TTY_H
#define SYSD_TTY_TTY_H

#include <stdbool.h>
#include <stdint.h>
#include "services/sysd/abi/termios.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/vfs/file.h"

struct devpts;
struct inode;
struct signal;
struct task;
struct tty_bridge;

#define TTY_IN_SIZE 4096u
#define TTY_OUT_SIZE 16384u
#define TTY_OUT_ECHO 2048u /* of the output ring: kept for echo, writers do not fill it */
#define TTY_MAJOR_PTS 136u

struct tty {
	unsigned refs;               /* open files, and the devpts entry */
	int index;                   /* /dev/pts/N */
	struct devpts *devpts;       /* NULL once the entry is removed */
	struct path pts_root;        /* where the master found its devpts, for TIOCGPTPEER */
	struct abi_ktermios termios;
	struct abi_termios locked_termios; /* TIOCSLCKTRMIOS: set bits and bytes stay as they are */
	struct abi_winsize winsize;
	unsigned slave_count;        /* open files of the slave */
	bool slave_seen;             /* it was open once: without any the master reads EIO */
	bool master_open, hung_up;
	bool locked, exclusive;      /* TIOCSPTLCK, TIOCEXCL */
	bool stopped;                /* output held by ^S or TCOOFF */
	bool tco_stopped;            /* by TCOOFF: ^Q and IXANY do not release it */
	bool packet;                 /* TIOCPKT */
	uint8_t packet_status;       /* what the master is to be told */
	uint32_t session, pgrp;      /* whose controlling terminal; its foreground group. 0: none */

	/* N_TTY input: a ring addressed by running counts. [tail, canon_head) are complete lines,
	 * [canon_head, head) is the line being edited. */
	uint8_t in[TTY_IN_SIZE];
	uint64_t line_end[TTY_IN_SIZE / 64]; /* set at the last byte of a line; a 0 there is an EOF */
	uint32_t head, canon_head, tail;
	bool lnext, erasing;
	uint32_t column, canon_column;
	bool room_wanted;            /* the master could not place all it had */

	uint8_t out[TTY_OUT_SIZE];
	uint32_t out_head, out_tail;

	struct waitq read_wait, write_wait;     /* of the slave */
	struct waitq mread_wait, mwrite_wait;   /* of the master */
	struct tty_bridge *bridge;              /* in place of a master file */
};

/* A pair whose master is held by the caller (its reference). */
struct tty *tty_new(void);
struct tty *tty_ref(struct tty *tty);
void tty_unref(struct tty *tty);

/* ---- line discipline: n_tty_input.c, n_tty_output.c, n_tty.c --------------------------------- */

void n_tty_init_termios(struct abi_ktermios *t);
/* Input from the master's side. Returns how much was taken: the input ring may be full. */
size_t n_tty_receive(struct tty *tty, const uint8_t *buf, size_t size);
ssize_t n_tty_read(struct tty *tty, struct file *file, struct uio *u);
ssize_t n_tty_write(struct tty *tty, struct file *file, struct uio *u);
/* Is there something that a read would return? With `poll`, VMIN bytes where that counts. */
bool n_tty_input_available(const struct tty *tty, bool poll);
/* FIONREAD. */
uint32_t n_tty_input_count(const struct tty *tty);
/* After tty->termios was replaced. */
void n_tty_termios_changed(struct tty *tty, const struct abi_ktermios *old);
void n_tty_flush_input(struct tty *tty);
void tty_flush_output(struct tty *tty);
/* Output processing of one byte; false: no room (nothing was put). */
bool n_tty_output_char(struct tty *tty, uint8_t c, bool echo);
void tty_stop(struct tty *tty);
void tty_start(struct tty *tty);
/* Room in the output ring for a writer, or for echo. */
size_t tty_out_room(const struct tty *tty, bool echo);
size_t tty_out_put(struct tty *tty, const uint8_t *buf, size_t size);
size_t tty_out_get(struct tty *tty, uint8_t *buf, size_t size);
static inline size_t tty_out_count(const struct tty *tty)
{
	return tty->out_head - tty->out_tail;
}
/* Wakes who reads the output: the master, or the bridge. */
void tty_out_kick(struct tty *tty);
/* The slave's reader made room. */
void tty_in_drained(struct tty *tty);

/* ---- job control: jobctl.c ------------------------------------------------------------------- */

/* A background task that reads from or changes its terminal gets signo (SIGTTIN, SIGTTOU). 0, -EIO, or
 * -ERESTARTSYS. */
int tty_check_change(struct tty *tty, struct task *t, int signo);
long tty_jobctl_ioctl(struct tty *tty, struct task *t, struct file *file, bool master, unsigned cmd,
		      uint64_t arg);
/* open(2): a session leader without a terminal takes the first it opens, unless O_NOCTTY. */
void tty_open_controlling(struct tty *tty, struct task *t, struct file *file);
/* Makes tty the terminal of t's session, unconditionally (the control plane's first process). */
void tty_set_controlling(struct tty *tty, struct task *t);
/* For the task code: the session leader gives its terminal up, by TIOCNOTTY or at its exit. */
void tty_disassociate(struct signal *leader, bool on_exit);
/* The line dropped: SIGHUP to the session leader, end of file for readers. */
void tty_hangup(struct tty *tty);
/* vhangup(2) and TIOCVHANGUP aside, what the session of a task has; no reference. */
struct tty *tty_current(struct task *t);
void tty_forget(struct tty *tty);

long tty_ioctl(struct tty *tty, struct task *t, struct file *file, bool master, unsigned cmd,
	       uint64_t arg);
void tty_set_winsize(struct tty *tty, const struct abi_winsize *ws);

/* ---- files ----------------------------------------------------------------------------------- */

extern const struct file_ops pty_master_fops, pty_slave_fops;
/* Opens the slave as its node in devpts. */
int pty_open_slave(struct tty *tty, struct task *t, unsigned flags, struct file **ret);
/* The terminal behind an open file of a slave or /dev/tty; NULL: it is none. */
struct tty *tty_of_file(struct file *file);
/* Registers /dev/tty, /dev/console, /dev/ptmx and the slaves; once, at start-up. */
void tty_init(void);
/* What /dev/console opens; takes a reference. NULL: nothing. */
void tty_set_console(struct tty *tty);

/* ---- the launcher's terminal: bridge.c ------------------------------------------------------- */

/* Makes a pty in the devpts that `pts` is the root of, and moves bytes between it and the host
 * descriptor (taken over; made non-blocking). Runs on a strand; the task may be NULL.
 * *ret_tty is a reference. When the host side ends, the terminal is hung up. */
int tty_bridge_host(int host_fd, const struct path *pts, struct tty **ret_tty);

/* Of /proc/PID/stat. */
uint32_t tty_devnum(const struct tty *tty);
int32_t tty_foreground_pgrp(const struct tty *tty);

#endif
