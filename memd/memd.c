/* memd's life: started by the launcher, given the shared pages by sysd, serving until sysd is gone. */
#include "memd/memd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include "common/log/log.h"

uint64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

#define LOG_LINES_PER_SECOND 20

bool memd_may_log(struct memd *m)
{
	uint64_t second = mono_ns() / 1000000000ull;

	if (second != m->log_second) {
		if (m->log_dropped)
			log_warn("%u more lines about guest processes were dropped", m->log_dropped);
		m->log_second = second;
		m->log_count = m->log_dropped = 0;
	}
	if (m->log_count < LOG_LINES_PER_SECOND) {
		m->log_count++;
		return true;
	}
	m->log_dropped++;
	return false;
}

int memd_init(struct memd *m, int ring_fd, int pass_sock, int launch_sock, int proc_fd)
{
	struct seccomp_notif_sizes sizes;
	sigset_t set;
	int ret;

	memset(m, 0, sizeof(*m));
	m->pass_sock = pass_sock;
	m->launch_sock = launch_sock;
	m->listener = m->ctl_fd = m->bell_fd = m->zygote_slots_fd = m->wake_fd = m->signal_fd = -1;
	m->proc_fd = -1;
	list_init(&m->procs);
	list_init(&m->map_orders);
	list_init(&m->fork_orders);
	slots_init(m);
	for (size_t i = 0; i < PROC_HASH; i++) {
		list_init(&m->by_pid[i]);
		list_init(&m->by_id[i]);
	}
	for (size_t i = 0; i < OBJECT_HASH; i++)
		list_init(&m->objects[i]);

	ret = ring_open(&m->ring, ring_fd, SBX_RING_SIDE_PEER);
	if (ret)
		return ret;
	fdpass_inbox_init(&m->inbox, pass_sock);

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0) {
		log_error("this host has no seccomp user notification: %s", strerror(errno));
		return -errno;
	}
	m->notif_size = MAX(sizes.seccomp_notif, sizeof(struct seccomp_notif));
	m->resp_size = MAX(sizes.seccomp_notif_resp, sizeof(struct seccomp_notif_resp));
	m->notif = calloc(1, m->notif_size);
	m->resp = calloc(1, m->resp_size);
	if (!m->notif || !m->resp)
		return -ENOMEM;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	m->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (proc_fd >= 0)
		m->proc_fd = fcntl(proc_fd, F_DUPFD_CLOEXEC, 3);
	else
		m->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (m->signal_fd < 0 || m->wake_fd < 0)
		return -errno;
	if (m->proc_fd < 0) {
		log_error("memd needs /proc of its pid namespace: %s", strerror(errno));
		return -errno;
	}
	return 0;
}

void memd_done(struct memd *m)
{
	proc_kill_all(m);
	while (!list_empty(&m->fork_orders))
		order_free_fork(m, LIST_FIRST(&m->fork_orders, struct fork_order, node));
	while (!list_empty(&m->procs))
		proc_free(m, LIST_FIRST(&m->procs, struct proc, node));
	slots_done(m);
	object_forget_all(m);
	fdpass_inbox_done(&m->inbox);
	if (m->ring.shm)
		ring_close(&m->ring);
	if (m->zygote_slot && m->zygote_slot != MAP_FAILED)
		munmap(m->zygote_slot, SBX_SLOT_STRIDE);
	close_fd(&m->listener);
	close_fd(&m->ctl_fd);
	close_fd(&m->bell_fd);
	close_fd(&m->zygote_slots_fd);
	close_fd(&m->wake_fd);
	close_fd(&m->signal_fd);
	close_fd(&m->proc_fd);
	free(m->notif);
	free(m->resp);
	m->notif = NULL;
	m->resp = NULL;
}

static int send_msg(struct memd *m, const struct memd_msg *msg, bool quiet)
{
	uint8_t buf[MEMD_MSG_MAX];
	long n = memd_msg_encode(msg, buf, sizeof(buf));

	if (n < 0)
		return (int)n;
	for (int tries = 0; tries < 1000; tries++) {
		int ret = quiet ? ring_send_quiet(&m->ring, buf, (size_t)n) :
				  ring_send(&m->ring, buf, (size_t)n);

		if (ret != -EAGAIN) {
			if (ret)
				m->stop = true;
			return ret;
		}
		/* sysd is far behind; losing a message would lose a process. */
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	log_error("sysd does not read its ring");
	m->stop = true;
	return -EAGAIN;
}

int memd_send(struct memd *m, const struct memd_msg *msg)
{
	return send_msg(m, msg, false);
}

int memd_send_quiet(struct memd *m, const struct memd_msg *msg)
{
	return send_msg(m, msg, true);
}

uint64_t memd_pass_fd(struct memd *m, int fd)
{
	uint64_t ticket = ++m->next_ticket;

	for (int tries = 0; tries < 1000; tries++) {
		int ret = fdpass_send(m->pass_sock, ticket, fd);

		if (ret == 0)
			return ticket;
		if (ret != -EAGAIN) {
			log_error("cannot pass a descriptor to sysd: %s", strerror(-ret));
			return 0;
		}
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return 0;
}

int memd_bring_up(struct memd *m)
{
	uint8_t buf[MEMD_MSG_MAX];
	struct memd_msg msg;
	struct stat st;
	int ret;

	ret = ring_wait(&m->ring, 0, -1);
	if (ret)
		return ret;
	ssize_t n = ring_recv(&m->ring, buf, sizeof(buf));

	if (n < 0)
		return (int)n;
	if (memd_msg_decode(buf, (size_t)n, &msg) < 0 || msg.kind != MEMD_START)
		return -EPROTO;
	m->ctl_fd = fdpass_inbox_take(&m->inbox, msg.ticket, 5000);
	if (m->ctl_fd < 0)
		return m->ctl_fd;
	m->bell_fd = fdpass_inbox_take(&m->inbox, msg.ticket2, 5000);
	if (m->bell_fd < 0)
		return m->bell_fd;
	if (fstat(m->ctl_fd, &st) < 0 || (uint64_t)st.st_size < SBX_R_CTL_SIZE ||
	    fstat(m->bell_fd, &st) < 0 || (uint64_t)st.st_size < SBX_PAGE_SIZE)
		return -EPROTO;
	m->pool_size = (unsigned)MIN(msg.value, (uint64_t)BLANKS_MAX);

	ret = zygote_start(m);
	if (ret)
		return ret;
	struct memd_msg up = {.kind = MEMD_UP, .args = {m->base, m->vdso, m->vdso_size, m->stub_size}};

	up.ticket = memd_pass_fd(m, m->wake_fd);
	if (!up.ticket)
		return -EIO;
	if (m->launch_sock >= 0)
		fdpass_send(m->launch_sock, 1, m->listener);
	m->refill_at_ns = 1;
	return memd_send(m, &up);
}

static void refill(struct memd *m, uint64_t now)
{
	m->refill_at_ns = 0;
	if (!m->zygote || m->blank_count + m->blank_pending >= m->pool_size)
		return;
	int ret = zygote_order_blank(m);

	if (ret && ret != -EBUSY)
		log_error("cannot make a blank process: %s", strerror(-ret));
	/* One at a time: the next when this one has come up. */
	m->refill_at_ns = now + (ret && ret != -EBUSY ? 1000000000ull : 500000ull);
}

static int timeout_until(uint64_t now, uint64_t due, int timeout_ms)
{
	if (due == UINT64_MAX)
		return timeout_ms;
	uint64_t ms = due > now ? (due - now + 999999) / 1000000 : 0;

	if (ms > 60000)
		ms = 60000;
	return timeout_ms < 0 || (int)ms < timeout_ms ? (int)ms : timeout_ms;
}

int memd_turn(struct memd *m, int timeout_ms)
{
	struct pollfd fds[] = {
		{m->listener, POLLIN, 0}, {m->wake_fd, POLLIN, 0}, {m->signal_fd, POLLIN, 0},
		{m->pass_sock, 0, 0},
	};
	uint64_t now = mono_ns(), due = order_expire(m, now), value;
	bool hush = now < m->hush_until_ns;

	if (m->untold && !hush) {
		m->untold = false;
		ring_wake(&m->ring);
	}
	zygote_poll(m);
	if (m->refill_at_ns && m->refill_at_ns <= now)
		refill(m, now);
	if (m->strays)
		proc_kill_strays(m);
	if (m->refill_at_ns)
		due = MIN(due, m->refill_at_ns);
	if (hush) {
		fds[2].fd = -1;
		due = MIN(due, m->hush_until_ns);
	}
	int n = poll(fds, ARRAY_SIZE(fds), timeout_until(now, due, timeout_ms));

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[1].revents & POLLIN)
		(void)!read(m->wake_fd, &value, sizeof(value));
	serve_drain(m);
	if (fds[0].revents & POLLIN)
		notify_one(m);
	if (fds[2].revents & POLLIN || hush) {
		struct signalfd_siginfo si;

		/* Many ends are one SIGCHLD. */
		if (read(m->signal_fd, &si, sizeof(si)) > 0)
			proc_reap(m);
	}
	slots_prepare(m);
	if (fds[3].revents & (POLLHUP | POLLERR)) {
		log_info("sysd is gone");
		m->stop = true;
	}
	return 0;
}

int memd_serve(struct memd *m)
{
	while (!m->stop) {
		int ret = memd_turn(m, -1);

		if (ret)
			return ret;
	}
	return 0;
}
