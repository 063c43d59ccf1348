/* memd as a whole, with this test in sysd's place: blank processes come up, run what they are
 * told, map only what was ordered, fork only when it was ordered, and die when told. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "common/log/log.h"
#include "common/slot/stub.h"
#include "memd/filter.h"
#include "memd/memd.h"

#define WAIT_MS 30000 /* for what comes at once, unless the machine is busy with other things */

static struct ring ring;
static struct fdpass_inbox inbox;
static int pass_sock, wake_fd, ctl_fd, bell_fd;
static pid_t memd_pid;
static uint64_t base;
static struct sbx_ctl *ctl;

struct guest {
	uint64_t id, slots_id;
	pid_t pid;
	struct sbx_slot *slots;
};

static void send_msg(const struct memd_msg *msg)
{
	uint8_t buf[MEMD_MSG_MAX];
	long n = memd_msg_encode(msg, buf, sizeof(buf));
	uint64_t one = 1;

	assert_true(n > 0);
	assert_int_equal(ring_send(&ring, buf, (size_t)n), 0);
	if (wake_fd > 0)
		assert_int_equal(write(wake_fd, &one, 8), 8);
}

/* The next message of a kind; others are kept for later. */
static struct memd_msg wait_msg(enum memd_msg_kind kind)
{
	static struct memd_msg kept[64];
	static unsigned kept_count;
	uint8_t buf[MEMD_MSG_MAX];
	struct memd_msg msg;

	for (unsigned i = 0; i < kept_count; i++)
		if (kept[i].kind == kind) {
			msg = kept[i];
			memmove(&kept[i], &kept[i + 1], (--kept_count - i) * sizeof(msg));
			return msg;
		}
	for (;;) {
		/* Some messages come without a wake-up. */
		for (int i = 0; !ring_readable(&ring); i++) {
			assert_true(i < WAIT_MS);
			ring_wait(&ring, 0, 1000000);
		}
		ssize_t n = ring_recv(&ring, buf, sizeof(buf));

		assert_true(n > 0);
		assert_int_equal(memd_msg_decode(buf, (size_t)n, &msg), 0);
		if (msg.kind == kind)
			return msg;
		assert_true(kept_count < 64);
		kept[kept_count++] = msg;
	}
}

static uint64_t pass(int fd)
{
	static uint64_t ticket = 100;

	assert_int_equal(fdpass_send(pass_sock, ++ticket, fd), 0);
	return ticket;
}

static struct sbx_slot *map_slots(const struct memd_msg *msg)
{
	int fd = fdpass_inbox_take(&inbox, msg->ticket, WAIT_MS);

	assert_true(fd >= 0);
	void *p = mmap(NULL, SBX_SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	close(fd);
	return p;
}

/* Orders a fork that carries a cookie; the child's slots are mapped already. */
static void order_fork(const struct guest *parent, uint32_t cookie, struct guest *ret_child)
{
	struct memd_msg msg = wait_msg(MEMD_SLOTS);

	*ret_child = (struct guest){.slots_id = msg.object, .slots = map_slots(&msg)};
	send_msg(&(struct memd_msg){.kind = MEMD_FORK, .id = parent->id, .cookie = cookie, .object = msg.object});
}

static uint32_t wait_request(struct guest *g)
{
	for (int i = 0; i < WAIT_MS * 10; i++) {
		if (__atomic_load_n(&g->slots->state, __ATOMIC_ACQUIRE) == SBX_SLOT_REQUEST)
			return g->slots->req;
		usleep(100);
	}
	fail_msg("no request of process %d", g->pid);
	return 0;
}

static void reply(struct guest *g, uint32_t act)
{
	g->slots->act = act;
	__atomic_store_n(&g->slots->state, SBX_SLOT_REPLY, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &g->slots->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int64_t run_op(struct guest *g, const struct sbx_hostop *op)
{
	g->slots->ops[0] = *op;
	g->slots->op_count = 1;
	reply(g, SBX_ACT_HOSTOPS);
	assert_int_equal(wait_request(g), SBX_REQ_HOSTOPS_DONE);
	return g->slots->ops[0].ret;
}

static int64_t sys(struct guest *g, long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	return run_op(g, &(struct sbx_hostop){
				 .kind = SBX_HOP_SYSCALL, .nr = (uint64_t)nr, .args = {a, b, c, d, e, f}});
}

static struct guest take_blank(void)
{
	struct memd_msg msg = wait_msg(MEMD_BLANK);
	struct guest g = {msg.id, msg.object, (pid_t)msg.pid, map_slots(&msg)};

	send_msg(&(struct memd_msg){.kind = MEMD_TAKEN, .id = g.id});
	assert_int_equal(wait_request(&g), SBX_REQ_HELLO);
	return g;
}

/* reusable: its slots come back to us. */
static void end(struct guest *g, bool reusable)
{
	send_msg(&(struct memd_msg){.kind = MEMD_KILL, .id = g->id});
	for (;;) {
		struct memd_msg msg = wait_msg(MEMD_DIED);

		if (msg.id == g->id) {
			assert_int_equal(msg.value, SIGKILL);
			assert_int_equal(msg.what, 0);
			assert_int_equal(msg.object, reusable ? g->slots_id : 0);
			break;
		}
	}
	munmap(g->slots, SBX_SLOTS_SIZE);
}

static int start(void **state)
{
	int socks[2], ring_fd = ring_create_fd();
	struct memd_msg msg;

	if (ring_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks))
		return -1;
	ctl_fd = memfd_create("ctl", MFD_ALLOW_SEALING);
	bell_fd = memfd_create("bell", MFD_ALLOW_SEALING);
	if (ftruncate(ctl_fd, SBX_R_CTL_SIZE) || ftruncate(bell_fd, 4096))
		return -1;
	ctl = mmap(NULL, SBX_R_CTL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ctl_fd, 0);
	ctl->poller_cpu = -1;
	ctl->cpu_count = 1;
	memd_pid = fork();
	if (memd_pid == 0) {
		static struct memd m;

		close(socks[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		log_init("memd", 2, getenv("V") ? LOG_DEBUG_ : LOG_ERROR_, LOG_TEXT);
		if (memd_init(&m, ring_fd, socks[1], -1, -1) || memd_bring_up(&m))
			_exit(1);
		memd_serve(&m);
		memd_done(&m);
		_exit(0);
	}
	close(socks[1]);
	pass_sock = socks[0];
	fdpass_inbox_init(&inbox, pass_sock);
	if (ring_open(&ring, ring_fd, SBX_RING_SIDE_SYSD))
		return -1;
	msg = (struct memd_msg){.kind = MEMD_START, .ticket = 1, .ticket2 = 2, .value = 2};
	fdpass_send(pass_sock, 1, ctl_fd);
	fdpass_send(pass_sock, 2, bell_fd);
	send_msg(&msg);
	msg = wait_msg(MEMD_UP);
	wake_fd = fdpass_inbox_take(&inbox, msg.ticket, WAIT_MS);
	base = msg.args[0];
	ctl->base = base;
	return wake_fd < 0 || base % SBX_R_ALIGN ? -1 : 0;
}

static int stop(void **state)
{
	int status;

	close(pass_sock);
	for (int i = 0; i < WAIT_MS / 10; i++) {
		if (waitpid(memd_pid, &status, WNOHANG) == memd_pid)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
		usleep(10000);
	}
	kill(memd_pid, SIGKILL);
	waitpid(memd_pid, &status, 0);
	return -1;
}

static void test_blank_is_empty(void **state)
{
	struct guest g = take_blank();
	char path[64], line[512];
	unsigned foreign = 0, fds = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", g.pid);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long a, b;

		sscanf(line, "%lx-%lx", &a, &b);
		if (getenv("V"))
			fputs(line, stdout);
		if (strstr(line, "[v") || (a >= base && b <= base + SBX_R_SIZE))
			continue;
		foreign++;
	}
	fclose(f);
	assert_int_equal(foreign, 0);
	for (int i = 0; i < 1024; i++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", g.pid, i);
		fds += access(path, F_OK) == 0;
	}
	assert_int_equal(fds, 0);
	/* The control page cannot become writable. */
	assert_int_equal(sys(&g, SYS_mprotect, base + SBX_R_CTL, 4096, PROT_READ | PROT_WRITE, 0, 0, 0), -EACCES);
	end(&g, true);
}

static void test_file_map_needs_an_order(void **state)
{
	struct guest g = take_blank();
	int fd = memfd_create("file", 0);
	struct memd_msg order = {.kind = MEMD_MAP, .id = g.id, .object = 7};
	uint64_t args[6] = {0x10000000, 8192, PROT_READ, MAP_PRIVATE | MAP_FIXED, MEMD_LEND_FD, 0};
	char buf[16] = {0};

	assert_int_equal(write(fd, "hello", 5), 5);
	assert_int_equal(ftruncate(fd, 8192), 0);
	assert_int_equal(sys(&g, SYS_mmap, args[0], args[1], args[2], args[3], args[4], args[5]), -EPERM);
	memcpy(order.args, args, sizeof(args));
	order.ticket = pass(fd);
	send_msg(&order);
	/* Another size is another call. */
	assert_int_equal(sys(&g, SYS_mmap, args[0], 4096, args[2], args[3], args[4], args[5]), -EPERM);
	assert_int_equal(sys(&g, SYS_mmap, args[0], args[1], args[2], args[3], args[4], args[5]), args[0]);
	/* Once. */
	assert_int_equal(sys(&g, SYS_mmap, args[0], args[1], args[2], args[3], args[4], args[5]), -EPERM);

	struct iovec l = {buf, 5}, r = {(void *)args[0], 5};

	assert_int_equal(process_vm_readv(g.pid, &l, 1, &r, 1, 0), 5);
	assert_string_equal(buf, "hello");
	/* Cached by now; a shared mapping of a descriptor that was lent read-only stays read-only. */
	order.ticket = 0;
	order.args[0] = 0x20000000;
	order.args[3] = MAP_SHARED | MAP_FIXED;
	send_msg(&order);
	assert_int_equal(sys(&g, SYS_mmap, 0x20000000, 8192, PROT_READ, MAP_SHARED | MAP_FIXED, MEMD_LEND_FD, 0),
			 0x20000000);
	assert_int_equal(sys(&g, SYS_mprotect, 0x20000000, 4096, PROT_READ | PROT_WRITE, 0, 0, 0), -EACCES);
	/* Writable when sysd says so. */
	order.args[0] = 0x30000000;
	order.args[2] = PROT_READ | PROT_WRITE;
	order.writable = true;
	send_msg(&order);
	assert_int_equal(sys(&g, SYS_mmap, 0x30000000, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			     MEMD_LEND_FD, 0),
			 0x30000000);
	assert_int_equal(sys(&g, SYS_close, MEMD_LEND_FD, 0, 0, 0, 0, 0), 0);
	send_msg(&(struct memd_msg){.kind = MEMD_FORGET, .object = 7});
	send_msg(&order);
	assert_int_equal(sys(&g, SYS_mmap, 0x30000000, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			     MEMD_LEND_FD, 0),
			 -EBADF);
	close(fd);
	end(&g, true);
}

/* mov $NR,%eax; syscall; ... : numbers that need sysd. */
static const unsigned char program[] = {
	0xb8, 0x5f, 0, 0, 0,             /* mov $95,%eax (umask) */
	0xbf, 0x12, 0, 0, 0,             /* mov $0x12,%edi */
	0x0f, 0x05,                      /* syscall */
	0x48, 0x89, 0xc7,                /* mov %rax,%rdi */
	0xb8, 0xe7, 0, 0, 0,             /* mov $231,%eax (exit_group) */
	0x0f, 0x05,
};

static void load_program(struct guest *g, uint64_t at)
{
	uint8_t *window = (uint8_t *)g->slots + 4096;

	assert_int_equal(sys(g, SYS_mmap, at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1ul, 0),
			 at);
	memcpy(window, program, sizeof(program));
	assert_int_equal(run_op(g, &(struct sbx_hostop){.kind = SBX_HOP_COPY, .args = {at, sizeof(program), 0}}), 0);
}

static void test_program(void **state)
{
	struct guest g = take_blank();
	uint64_t at = 0x400000;

	load_program(&g, at);
	memset(&g.slots->regs, 0, sizeof(g.slots->regs));
	g.slots->regs.rip = at;
	g.slots->regs.rsp = at + 4000;
	g.slots->trace = 1;
	reply(&g, SBX_ACT_RESUME);
	assert_int_equal(wait_request(&g), SBX_REQ_SYSCALL);
	assert_int_equal(g.slots->nr, 95);
	assert_int_equal(g.slots->args[0], 0x12);
	g.slots->ret = 0x77;
	g.slots->out_count = 0;
	reply(&g, SBX_ACT_RETURN);
	assert_int_equal(wait_request(&g), SBX_REQ_SYSCALL);
	assert_int_equal(g.slots->nr, 231);
	assert_int_equal(g.slots->args[0], 0x77);
	reply(&g, SBX_ACT_EXIT_GROUP);
	for (;;) {
		struct memd_msg msg = wait_msg(MEMD_DIED);

		if (msg.id == g.id) {
			assert_true(WIFEXITED(msg.value));
			break;
		}
	}
	munmap(g.slots, SBX_SLOTS_SIZE);
}

static void test_fork(void **state)
{
	struct guest g = take_blank(), child, none;
	uint64_t at = 0x10000;
	uint32_t value = 41;
	struct iovec l = {&value, 4}, r = {(void *)at, 4};

	assert_int_equal(sys(&g, SYS_mmap, at, 4096, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1ul, 0),
			 at);
	assert_int_equal(process_vm_writev(g.pid, &l, 1, &r, 1, 0), 4);
	/* Not ordered; a cookie that is not ours; a clone of another shape. */
	assert_int_equal(run_op(&g, &(struct sbx_hostop){.kind = SBX_HOP_CLONE_PROCESS, .args = {99}}), -EPERM);
	assert_int_equal(sys(&g, SYS_clone, SIGCHLD, 0, 0, 0, 99, 0), -EPERM);
	order_fork(&g, 1234567, &child);
	assert_int_equal(run_op(&g, &(struct sbx_hostop){.kind = SBX_HOP_CLONE_PROCESS, .args = {98}}), -EPERM);
	int64_t pid = run_op(&g, &(struct sbx_hostop){.kind = SBX_HOP_CLONE_PROCESS, .args = {1234567}});

	assert_true(pid > 0);
	struct memd_msg msg = wait_msg(MEMD_FORKED);

	assert_int_equal(msg.error, 0);
	assert_int_equal(msg.cookie, 1234567);
	assert_int_equal(msg.pid, pid);
	child.id = msg.id;
	child.pid = (pid_t)msg.pid;
	assert_int_equal(wait_request(&child), SBX_REQ_HELLO);
	value = 0;
	assert_int_equal(process_vm_readv(child.pid, &l, 1, &r, 1, 0), 4);
	assert_int_equal(value, 41);
	/* Not again. */
	assert_int_equal(run_op(&g, &(struct sbx_hostop){.kind = SBX_HOP_CLONE_PROCESS, .args = {1234567}}),
			 -EPERM);
	/* The child's slots are its own. */
	assert_int_equal(sys(&child, SYS_munmap, 0x10000, 4096, 0, 0, 0, 0), 0);
	assert_int_equal(process_vm_readv(g.pid, &l, 1, &r, 1, 0), 4);
	send_msg(&(struct memd_msg){.kind = MEMD_CANCEL, .cookie = 55});
	order_fork(&g, 55, &none);
	send_msg(&(struct memd_msg){.kind = MEMD_CANCEL, .cookie = 55});
	msg = wait_msg(MEMD_FORKED);
	assert_int_equal(msg.cookie, 55);
	assert_int_equal(msg.error, -ECANCELED);
	assert_int_equal(run_op(&g, &(struct sbx_hostop){.kind = SBX_HOP_CLONE_PROCESS, .args = {55}}), -ECANCELED);
	end(&child, true);
	end(&g, false);
}

/* A parent that forks again and again has the descriptors of the sets that its children get, and a child needs no
 * other; a parent that closes them has children all the same. */
static void test_slots_inherited(void **state)
{
	struct guest parent = take_blank(), child;

	for (uint32_t i = 0; i < 12; i++) {
		uint32_t cookie = 1000 + i;

		send_msg(&(struct memd_msg){.kind = MEMD_WANT, .value = 1});
		order_fork(&parent, cookie, &child);
		uint32_t at = SBX_FD_SET(child.slots_id);

		if (i >= 8)
			sys(&parent, SYS_close, at, 0, 0, 0, 0, 0);
		int64_t pid = run_op(&parent, &(struct sbx_hostop){.kind = SBX_HOP_CLONE_PROCESS, .args = {cookie, 0, at}});

		assert_true(pid > 0);
		struct memd_msg msg = wait_msg(MEMD_FORKED);

		assert_int_equal(msg.error, 0);
		child.id = msg.id;
		child.pid = (pid_t)msg.pid;
		assert_int_equal(wait_request(&child), SBX_REQ_HELLO);
		assert_int_equal(child.slots->host_tid, pid);
		/* Nothing was lent to it, or it has given it back. */
		assert_int_equal(sys(&child, SYS_close, SBX_FD_SLOTS, 0, 0, 0, 0, 0), -EBADF);
		assert_int_equal(sys(&child, SYS_close, at, 0, 0, 0, 0, 0), 0);
		/* The number of another set than its own is refused. */
		assert_int_equal(sys(&child, SYS_mmap, base + SBX_R_SLOTS, SBX_SLOTS_SIZE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_FIXED, at, 0), -EPERM);
		end(&child, true);
	}
	end(&parent, false);
}

/* Slots whose process is gone serve another one, by name; never those of a process that has forked. */
static void test_slots_again(void **state)
{
	struct guest g = take_blank(), parent = take_blank(), child = {0};
	uint64_t id = g.slots_id;
	struct memd_msg msg;

	end(&g, true);
	send_msg(&(struct memd_msg){.kind = MEMD_FORK, .id = parent.id, .cookie = 70, .object = id + 1000000});
	msg = wait_msg(MEMD_FORKED);
	assert_int_equal(msg.error, -EINVAL);
	send_msg(&(struct memd_msg){.kind = MEMD_FORK, .id = parent.id, .cookie = 71, .object = id});
	assert_true(run_op(&parent, &(struct sbx_hostop){.kind = SBX_HOP_CLONE_PROCESS, .args = {71}}) > 0);
	msg = wait_msg(MEMD_FORKED);
	assert_int_equal(msg.error, 0);
	child.id = msg.id;
	child.slots_id = id;
	/* In use: not a second time. */
	send_msg(&(struct memd_msg){.kind = MEMD_FORK, .id = parent.id, .cookie = 72, .object = id});
	msg = wait_msg(MEMD_FORKED);
	assert_int_equal(msg.error, -EINVAL);
	child.slots = mmap(NULL, SBX_SLOTS_SIZE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	end(&child, true);
	/* For a blank: sysd has the descriptor already. */
	send_msg(&(struct memd_msg){.kind = MEMD_GIVE, .object = id, .what = 1});
	for (int i = 0;; i++) {
		assert_true(i < 500); /* others may come up sooner */
		msg = wait_msg(MEMD_BLANK);
		send_msg(&(struct memd_msg){.kind = MEMD_TAKEN, .id = msg.id});
		if (msg.ticket)
			close(fdpass_inbox_take(&inbox, msg.ticket, WAIT_MS));
		if (msg.object == id)
			break;
	}
	assert_int_equal(msg.ticket, 0);
	end(&parent, false);
}

static void test_thread_maps_too(void **state)
{
	struct guest g = take_blank(), thread = g;
	int fd = memfd_create("file", 0);
	struct memd_msg order = {.kind = MEMD_MAP, .id = g.id, .args = {0x10000000, 4096, PROT_READ,
					MAP_PRIVATE | MAP_FIXED, MEMD_LEND_FD + 1, 0}};

	assert_int_equal(ftruncate(fd, 4096), 0);
	thread.slots = (struct sbx_slot *)((char *)g.slots + SBX_SLOT_STRIDE);
	assert_true(run_op(&g, &(struct sbx_hostop){.kind = SBX_HOP_CLONE_THREAD, .args = {1}}) > 0);
	assert_int_equal(wait_request(&thread), SBX_REQ_HELLO);
	order.ticket = pass(fd);
	send_msg(&order);
	assert_int_equal(sys(&thread, SYS_mmap, 0x10000000, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED,
			     MEMD_LEND_FD + 1, 0),
			 0x10000000);
	close(fd);
	end(&g, true);
}

static void test_order_of_another_process(void **state)
{
	struct guest a = take_blank(), b = take_blank();
	int fd = memfd_create("file", 0);
	struct memd_msg order = {.kind = MEMD_MAP, .id = a.id, .args = {0x10000000, 4096, PROT_READ,
					MAP_PRIVATE | MAP_FIXED, MEMD_LEND_FD, 0}};

	assert_int_equal(ftruncate(fd, 4096), 0);
	order.ticket = pass(fd);
	send_msg(&order);
	assert_int_equal(sys(&b, SYS_mmap, 0x10000000, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, MEMD_LEND_FD, 0),
			 -EPERM);
	assert_int_equal(sys(&a, SYS_mmap, 0x10000000, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, MEMD_LEND_FD, 0),
			 0x10000000);
	close(fd);
	end(&a, true);
	end(&b, true);
}

static void test_every_number_refused(void **state)
{
	struct guest g = take_blank();

	for (long nr = 0; nr < 470; nr++) {
		int listed = nr == 335 || nr == 336;

		for (size_t i = 0; guest_filter_entry(i); i++)
			listed |= guest_filter_entry(i)->nr == nr;
		if (!listed)
			assert_int_equal(sys(&g, nr, 0, 0, 0, 0, 0, 0), -EPERM);
	}
	end(&g, true);
}

static void test_open_and_limit(void **state)
{
	struct guest g = take_blank();
	char buf[256];
	struct memd_msg msg;
	int fd;

	send_msg(&(struct memd_msg){.kind = MEMD_OPEN, .req = 5, .id = g.id, .what = MEMD_OPEN_MAPS});
	msg = wait_msg(MEMD_OPENED);
	assert_int_equal(msg.req, 5);
	assert_int_equal(msg.error, 0);
	fd = fdpass_inbox_take(&inbox, msg.ticket, WAIT_MS);
	assert_true(read(fd, buf, sizeof(buf)) > 20);
	close(fd);
	send_msg(&(struct memd_msg){.kind = MEMD_OPEN, .req = 6, .id = 999999, .what = MEMD_OPEN_MAPS});
	msg = wait_msg(MEMD_OPENED);
	assert_int_equal(msg.error, -ESRCH);
	send_msg(&(struct memd_msg){
		.kind = MEMD_LIMIT, .id = g.id, .what = 9 /* AS */, .value = SBX_R_SIZE + (1 << 20), .value2 = -1ul});
	send_msg(&(struct memd_msg){.kind = MEMD_OPEN, .req = 7, .id = g.id, .what = 99});
	msg = wait_msg(MEMD_OPENED);
	assert_int_equal(msg.error, -EINVAL);
	assert_int_equal(sys(&g, SYS_mmap, 0, 1 << 24, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1ul, 0), -ENOMEM);
	end(&g, true);
}

static void test_fork_time(void **state)
{
	struct guest g = take_blank();
	struct timespec a, b;
	enum { N = 50 };

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (uint32_t i = 0; i < N; i++) {
		uint64_t args[6] = {0x10000000, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, MEMD_LEND_FD, 0};
		struct memd_msg order = {.kind = MEMD_MAP, .id = g.id, .object = 77};

		if (!i) {
			int fd = memfd_create("file", 0);

			assert_int_equal(ftruncate(fd, 4096), 0);
			order.ticket = pass(fd);
			close(fd);
		}
		memcpy(order.args, args, sizeof(args));
		uint8_t buf[MEMD_MSG_MAX];
		long n = memd_msg_encode(&order, buf, sizeof(buf));

		assert_int_equal(ring_send_quiet(&ring, buf, (size_t)n), 0);
		assert_int_equal(sys(&g, SYS_mmap, args[0], args[1], args[2], args[3], args[4], args[5]), args[0]);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("approved mapping with two sleeping hand-offs: %ld us\n",
	       ((b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000) / N);
	end(&g, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blank_is_empty),
		cmocka_unit_test(test_file_map_needs_an_order),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_slots_inherited),
		cmocka_unit_test(test_slots_again),
		cmocka_unit_test(test_thread_maps_too),
		cmocka_unit_test(test_order_of_another_process),
		cmocka_unit_test(test_every_number_refused),
		cmocka_unit_test(test_open_and_limit),
		cmocka_unit_test(test_fork_time),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
