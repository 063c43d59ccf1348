/* A pty whose master is the launcher's terminal: bytes are pumped between the pty's rings and a host
 * descriptor, by readiness, on the executor. */
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include "common/base/util.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/fs/devpts/devpts.h"
#include "services/sysd/tty/bridge.h"
#include "services/sysd/tty/tty.h"

struct tty_bridge {
	struct tty *tty; /* a reference */
	int fd;
	struct host_watch watch;
	uint8_t in[1024]; /* read from the host, not yet taken */
	size_t in_size, in_off;
	bool want_out;    /* the host took no more */
	bool ended;
};

static void rearm(struct tty_bridge *b)
{
	uint32_t events = 0;

	if (b->ended)
		return;
	if (b->in_off == b->in_size)
		events |= EPOLLIN;
	if (b->want_out)
		events |= EPOLLOUT;
	if (events)
		host_watch_arm(&b->watch, events);
}

static void end(struct tty_bridge *b)
{
	struct tty *tty = b->tty;

	if (b->ended)
		return;
	b->ended = true;
	host_watch_remove(&b->watch);
	close_fd(&b->fd);
	tty->bridge = NULL;
	tty->master_open = false;
	tty_hangup(tty);
	devpts_remove(tty);
	tty_unref(tty);
	free(b);
}

static bool push_input(struct tty_bridge *b)
{
	b->in_off += n_tty_receive(b->tty, b->in + b->in_off, b->in_size - b->in_off);
	return b->in_off == b->in_size;
}

/* False: the host's side is gone. */
static bool pump_output(struct tty_bridge *b)
{
	uint8_t buf[4096];
	struct tty *tty = b->tty;

	b->want_out = false;
	while (tty_out_count(tty)) {
		uint32_t tail = tty->out_tail;
		size_t n = MIN(tty_out_count(tty), sizeof(buf));
		ssize_t w;

		for (size_t i = 0; i < n; i++)
			buf[i] = tty->out[(tail + i) % TTY_OUT_SIZE];
		w = write(b->fd, buf, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0 && errno == EAGAIN) {
			b->want_out = true;
			break;
		}
		if (w < 0)
			return false;
		tty_out_get(tty, buf, (size_t)w);
	}
	return true;
}

void tty_bridge_output(struct tty_bridge *b)
{
	/* errors are left to the watch: the callers are in the middle of the terminal's code */
	if (b->want_out)
		return;
	if (!pump_output(b))
		b->want_out = true;
	if (b->want_out)
		rearm(b);
}

void tty_bridge_input_room(struct tty_bridge *b)
{
	/* from the reader: take it up when the executor is back in its loop */
	b->want_out = true;
	rearm(b);
}

static void on_ready(void *arg, uint32_t revents)
{
	struct tty_bridge *b = arg;
	bool alive = true;

	if (b->in_off < b->in_size)
		push_input(b);
	if (b->in_off == b->in_size && revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		ssize_t n = read(b->fd, b->in, sizeof(b->in));

		if (n > 0) {
			b->in_size = (size_t)n;
			b->in_off = 0;
			push_input(b);
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			alive = false;
		}
	}
	if (!pump_output(b))
		alive = false;
	if (alive)
		rearm(b);
	else
		end(b);
}

int tty_bridge_host(int host_fd, const struct path *pts, struct tty **ret_tty)
{
	struct tty_bridge *b = calloc(1, sizeof(*b));
	struct devpts *dp = pts && pts->dentry ? devpts_of_sb(pts->dentry->sb) : NULL;
	struct tty *tty = b ? tty_new() : NULL;
	struct winsize ws;
	int flags, err;

	if (!tty) {
		free(b);
		close(host_fd);
		return -ENOMEM;
	}
	tty->locked = false;
	err = dp ? devpts_add(dp, tty) : 0;
	if (!err) {
		flags = fcntl(host_fd, F_GETFL);
		if (flags < 0 || fcntl(host_fd, F_SETFL, flags | O_NONBLOCK))
			err = -errno;
	}
	b->tty = tty;
	b->fd = host_fd;
	if (!err)
		err = host_watch_add(&b->watch, host_fd, on_ready, b);
	if (err) {
		devpts_remove(tty);
		tty_unref(tty);
		free(b);
		close(host_fd);
		return err;
	}
	if (dp) {
		tty->pts_root = *pts;
		path_get(&tty->pts_root);
	}
	if (ioctl(host_fd, TIOCGWINSZ, &ws) == 0)
		tty->winsize = (struct abi_winsize){ws.ws_row, ws.ws_col, ws.ws_xpixel, ws.ws_ypixel};
	tty->bridge = b;
	rearm(b);
	*ret_tty = tty_ref(tty);
	return 0;
}
