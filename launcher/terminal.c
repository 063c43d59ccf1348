#include "launcher/terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "common/base/util.h"

int terminal_open(int *ret_master, int *ret_slave, struct err *e)
{
	CLEANUP_CLOSE int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), slave = -1;
	struct termios t;
	int unlock = 0;

	if (master < 0)
		return err_sys(e, errno, "/dev/ptmx");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, errno, "unlocking a pty");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_sys(e, errno, "opening the pty's slave");
	if (tcgetattr(slave, &t) < 0)
		return err_sys(e, errno, "tcgetattr");
	cfmakeraw(&t);
	if (tcsetattr(slave, TCSANOW, &t) < 0)
		return err_sys(e, errno, "tcsetattr");
	*ret_master = STEAL_FD(master);
	*ret_slave = STEAL_FD(slave);
	return 0;
}

int terminal_send_console(const char *socket_path, int master, struct err *e)
{
	CLEANUP_CLOSE int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = "/dev/ptmx", .iov_len = 9};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};

	if (sock < 0)
		return err_sys(e, errno, "console socket");
	if (strlen(socket_path) >= sizeof(a.sun_path))
		return err_sys(e, ENAMETOOLONG, "console socket %s", socket_path);
	strcpy(a.sun_path, socket_path);
	if (connect(sock, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_sys(e, errno, "console socket %s", socket_path);
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.align), &master, sizeof(int));
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		return err_sys(e, errno, "console socket %s", socket_path);
	return 0;
}

int terminal_size(int fd, uint16_t *ret_rows, uint16_t *ret_cols)
{
	struct winsize ws;

	if (ioctl(fd, TIOCGWINSZ, &ws) < 0)
		return -errno;
	*ret_rows = ws.ws_row;
	*ret_cols = ws.ws_col;
	return 0;
}

int terminal_set_size(int fd, uint16_t rows, uint16_t cols)
{
	struct winsize ws = {.ws_row = rows, .ws_col = cols};

	return ioctl(fd, TIOCSWINSZ, &ws) < 0 ? -errno : 0;
}

void relay_init(struct relay *r, int in, int out, int master)
{
	struct termios t;

	*r = (struct relay){.in = in, .out = out, .master = master};
	fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	if (tcgetattr(in, &r->saved) == 0) {
		t = r->saved;
		cfmakeraw(&t);
		r->raw = tcsetattr(in, TCSADRAIN, &t) == 0;
	}
}

size_t relay_prepare(struct relay *r, struct pollfd *fds)
{
	short master = 0;
	size_t n = 0;

	if (r->done)
		return 0;
	if (!r->in_eof && r->up.size == 0)
		fds[n++] = (struct pollfd){.fd = r->in, .events = POLLIN};
	if (r->up.size)
		master |= POLLOUT;
	if (r->down.size == 0)
		master |= POLLIN;
	else
		fds[n++] = (struct pollfd){.fd = r->out, .events = POLLOUT};
	fds[n++] = (struct pollfd){.fd = r->master, .events = master};
	return n;
}

/* Returns false at the end of the source. */
static bool fill(struct relay_buf *b, int fd)
{
	ssize_t n = read(fd, b->data, sizeof(b->data));

	if (n > 0) {
		b->from = 0;
		b->size = (size_t)n;
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool drain(struct relay_buf *b, int fd)
{
	ssize_t n = write(fd, b->data + b->from, b->size);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	b->from += (size_t)n;
	b->size -= (size_t)n;
	return true;
}

void relay_run(struct relay *r, const struct pollfd *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		short ev = fds[i].revents;

		if (!ev)
			continue;
		if (fds[i].fd == r->in && (ev & (POLLIN | POLLHUP | POLLERR)) && (fds[i].events & POLLIN) &&
		    r->up.size == 0) {
			if (!fill(&r->up, r->in))
				r->in_eof = true;
		}
		if (fds[i].fd == r->out && r->down.size && (ev & (POLLOUT | POLLHUP | POLLERR)) &&
		    !drain(&r->down, r->out))
			r->down.size = 0; /* nobody reads: what the sandbox writes is dropped */
		if (fds[i].fd != r->master)
			continue;
		if ((ev & POLLOUT) && r->up.size && !drain(&r->up, r->master))
			r->up.size = 0;
		if ((ev & (POLLIN | POLLHUP | POLLERR)) && r->down.size == 0 && !fill(&r->down, r->master))
			r->done = true; /* EIO: the last slave has closed */
	}
	if (r->down.size && !drain(&r->down, r->out))
		r->down.size = 0;
	if (r->up.size && !drain(&r->up, r->master))
		r->up.size = 0;
}

/* How long the sandbox's last words may take to come through the pty. */
#define LAST_WORDS_MS 30

void relay_done(struct relay *r)
{
	while (!r->done) {
		struct pollfd p = {.fd = r->master, .events = POLLIN};

		while (r->down.size && drain(&r->down, r->out))
			;
		r->down.size = 0;
		if (poll(&p, 1, LAST_WORDS_MS) <= 0 || !fill(&r->down, r->master))
			break; /* EIO: every slave is closed, and all was read */
	}
	while (r->down.size && drain(&r->down, r->out))
		;
	r->down.size = 0;
	if (r->raw)
		tcsetattr(r->in, TCSADRAIN, &r->saved);
	r->raw = false;
}
