/* Terminals: a tty has a driver below (the pty's other side, or the launcher's terminal through a
 * pty) and the N_TTY line discipline above, which edits lines, echoes and makes signals. */
#ifndef SYSD_TTY_TTY_H
#define SYSD_TTY_TTY_H

#include <stdbool.h>
#include <stdint.h>
#include "services/sysd/abi/termios.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/vfs/file.h"

struct task;
struct signal;
struct ktimer;
struct inode;

#define TTY_BUF_SIZE 4096

struct tty {
	unsigned refs;
	int index;                  /* /dev/pts/N */
	bool is_master;
	struct tty *link;           /* the other side; a reference from the slave only */
	struct devpts *devpts;      /* the mount it belongs to */
	struct abi_ktermios termios; /* the slave's; a master has its own that nothing reads */
	struct abi_winsize winsize;
	unsigned open_count;
	bool other_closed;          /* EIO or EOF: the other side's last close */
	bool hung_up;
	bool locked;                /* TIOCSPTLCK, of the slave */
	bool exclusive;             /* TIOCEXCL */
	bool stopped;               /* output stopped by ^S or TCOOFF */
	bool packet;                /* TIOCPKT, of the master */
	uint8_t packet_status;      /* TIOCPKT_* to report, of the slave's changes */
	/* job control; the slave's */
	uint32_t session;           /* sid whose controlling terminal this is; 0: none */
	uint32_t pgrp;              /* foreground process group */
	/* N_TTY input: a ring. [read_tail, canon_head) are complete lines, [canon_head, read_head) the
	 * line being edited. In raw mode canon_head is not used. */
	uint8_t read_buf[TTY_BUF_SIZE];
	uint64_t read_map[TTY_BUF_SIZE / 64]; /* a line ends here: its last byte, or an EOF mark */
	uint32_t read_head, canon_head, read_tail; /* counts, taken modulo the size */
	bool lnext, erasing, push_eof;
	uint32_t column, canon_column;
	bool throttled;             /* sent VSTOP because the input was full */
	/* what the driver below has for the other side: the master's input */
	uint8_t out_buf[TTY_BUF_SIZE];
	uint32_t out_head, out_tail;
	struct waitq read_wait, write_wait;
	void *priv;
};

/* A pair; the slave has the reference that *ret_master's close drops. */
int tty_pair_new(struct devpts *dp, int index, struct tty **ret_master);
struct tty *tty_ref(struct tty *tty);
void tty_unref(struct tty *tty);

/* Line discipline. */
void n_tty_init_termios(struct abi_ktermios *t);
/* Takes input for the slave from below; returns how much was taken (the buffer may be full). */
size_t n_tty_receive(struct tty *tty, const uint8_t *buf, size_t size);
ssize_t n_tty_read(struct tty *tty, struct file *file, struct uio *u);
ssize_t n_tty_write(struct tty *tty, struct file *file, struct uio *u);
uint32_t n_tty_input_ready(struct tty *tty); /* bytes a read would find; canonical: of whole lines */
void n_tty_set_termios(struct tty *tty, const struct abi_ktermios *old);
void n_tty_flush_input(struct tty *tty);
size_t tty_output_room(const struct tty *tty);
/* Puts bytes into the output towards the master, as they are. Returns the count taken. */
size_t tty_output(struct tty *tty, const uint8_t *buf, size_t size);
/* The master has read: writers and echo go on. */
void tty_output_drained(struct tty *tty);

/* Job control (tty_jobctrl.c). */
/* May t read from or change its controlling terminal? SIGTTIN/SIGTTOU when it is in the background.
 * 0, -EIO (orphaned or blocked: read) or -ERESTARTSYS. */
int tty_check_change(struct tty *tty, struct task *t, int signo);
long tty_jobctrl_ioctl(struct tty *tty, struct tty *real, struct task *t, struct file *file, unsigned cmd,
		       uint64_t arg);
/* open(2) of a terminal by a session leader without one takes it, unless O_NOCTTY. */
void tty_open_controlling(struct tty *tty, struct task *t, struct file *file);
/* setsid, exit of a session leader: gives the terminal up (SIGHUP and SIGCONT to the foreground on
 * exit). */
void tty_disassociate(struct signal *leader, bool on_exit);
void tty_vhangup(struct tty *tty);
/* The terminal a task's session has, or NULL; a reference. */
struct tty *tty_current(struct task *t);
long tty_ioctl(struct file *file, struct tty *tty, struct task *t, unsigned cmd, uint64_t arg);

/* Of /proc/PID/stat. */
uint32_t tty_devnum(const struct tty *tty);
int32_t tty_foreground_pgrp(const struct tty *tty);

/* Registers /dev/tty, /dev/console and /dev/ptmx; called once at start-up. */
int tty_init(void);
extern const struct file_ops pty_master_fops, pty_slave_fops;
/* A slave on its device number, for open of /dev/console and TIOCGPTPEER. */
int tty_open_slave(struct tty *slave, unsigned flags, struct file **ret);
/* The launcher's terminal: a new pty in the first devpts (or without one) whose master side is pumped to and from
 * the host descriptor fd (ownership passes). *ret_slave is an open file of the slave. */
int tty_bridge_host(int host_fd, struct tty **ret_slave);

#endif
