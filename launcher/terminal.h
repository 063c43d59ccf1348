/* Terminals: making a pty, handing its master to a console socket, and the relay between the user's
 * terminal and a sandbox's. */
#ifndef LAUNCHER_TERMINAL_H
#define LAUNCHER_TERMINAL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>
#include "launcher/error.h"

/* A pty whose slave is raw: the line discipline is the sandbox's own. */
int terminal_open(int *ret_master, int *ret_slave, struct err *e);
/* Sends the master to the listener of an OCI console socket. */
int terminal_send_console(const char *socket_path, int master, struct err *e);
int terminal_size(int fd, uint16_t *ret_rows, uint16_t *ret_cols);
int terminal_set_size(int fd, uint16_t rows, uint16_t cols);

struct relay {
	int in, out, master;
	bool in_eof, done;
	struct relay_buf {
		char data[8192];
		size_t from, size;
	} up, down;            /* to the sandbox, from it */
	bool raw;
	struct termios saved;
};
/* Takes over in (made raw when it is a terminal) and out. The master stays the caller's. */
void relay_init(struct relay *r, int in, int out, int master);
/* Fills in up to 3 entries; returns how many. */
size_t relay_prepare(struct relay *r, struct pollfd *fds);
void relay_run(struct relay *r, const struct pollfd *fds, size_t count);
/* What is still on its way out, then the user's terminal as it was. */
void relay_done(struct relay *r);

#endif
