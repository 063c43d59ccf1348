/* The zygote: a child of memd that has thrown away everything but the guest runtime, and waits in it
 * for orders. Blank processes are its copies (SBX_HOP_CLONE_PROCESS); programs are then mapped into
 * them. So no guest process ever contains anything of memd, and none costs an execve(2) of the host's.
 *
 * It lives in a user namespace nested in memd's own: whoever has memd's uid in memd's namespace
 * (memd and sysd) owns it and needs no capability to look into it or kill it, and it has none. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include "common/log/log.h"
#include "common/slot/stub.h"
#include "memd/filter.h"
#include "memd/memd.h"
#include "memd/vdso.h"

#define TASK_TOP 0x7ffffffff000ul
#define R_SPACE 0x80000000ul      /* R lies somewhere in the last 2 GiB of the address space */
#define GUEST_NOFILE 32
#define GUEST_NPROC 32768
#define ZYGOTE_TIMEOUT_NS 10000000000ull

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* Where the zygote leaves the reason when it cannot become one. */
struct report {
	int error;
	char what[56];
};
static struct report *report_of(struct sbx_slot *slot)
{
	return (struct report *)((char *)slot + 4096);
}

static int text_memfd_new(void)
{
	CLEANUP_CLOSE int fd = memfd_create("sbx-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t size = sbx_stub_blob_size;

	if (fd < 0)
		return -errno;
	if (write(fd, sbx_stub_blob, size) != (ssize_t)size)
		return -EIO;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return STEAL_FD(fd);
}

static int check_blob(void)
{
	const struct sbx_stub_header *h = (const void *)sbx_stub_blob;
	size_t size = sbx_stub_blob_size;

	if (size < sizeof(*h) || size > SBX_R_TEXT_SIZE || h->magic != SBX_STUB_MAGIC ||
	    h->version != SBX_STUB_VERSION || h->total_size > size || h->text_begin >= h->text_end ||
	    h->text_end > size || h->blank_entry >= size || h->signal_handler >= size ||
	    h->restorer >= size)
		return -ENOEXEC;
	return 0;
}

/* A free place for the runtime's region. */
static int choose_base(uint64_t *ret_base)
{
	for (int i = 0; i < 64; i++) {
		uint64_t r;

		if (getrandom(&r, sizeof(r), 0) != sizeof(r))
			return -EIO;
		uint64_t room = R_SPACE - SBX_R_SIZE - SBX_R_ALIGN;
		uint64_t base = ALIGN_DOWN(TASK_TOP - R_SPACE + r % room, SBX_R_ALIGN);
		void *p = mmap((void *)base, SBX_R_SIZE, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

		if (p == MAP_FAILED)
			continue;
		munmap(p, SBX_R_SIZE);
		if ((uint64_t)p != base)
			continue;
		*ret_base = base;
		return 0;
	}
	return -ENOMEM;
}

/* ---- inside the zygote ------------------------------------------------------------------- */

struct boot {
	struct memd *m;
	int text_fd;
	struct vdso vdso;
	struct report *report;
};

static void die(struct boot *b, const char *what)
{
	b->report->error = errno ? errno : EINVAL;
	snprintf(b->report->what, sizeof(b->report->what), "%s", what);
	_exit(1);
}

static void map_at(struct boot *b, uint64_t at, uint64_t size, int prot, int flags, int fd, const char *what)
{
	if (mmap((void *)(b->m->base + at), size, prot, flags | MAP_FIXED, fd, 0) == MAP_FAILED)
		die(b, what);
}

static void map_region(struct boot *b)
{
	struct memd *m = b->m;

	map_at(b, SBX_R_TEXT, ALIGN_UP(m->stub_size, SBX_PAGE_SIZE), PROT_READ | PROT_EXEC, MAP_PRIVATE,
	       b->text_fd, "map the runtime's text");
	map_at(b, SBX_R_DATA, SBX_R_DATA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	       "map the runtime's data");
	map_at(b, SBX_R_CTL, SBX_R_CTL_SIZE, PROT_READ, MAP_SHARED, m->ctl_fd, "map the control page");
	map_at(b, SBX_R_BELL, SBX_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, m->bell_fd, "map the bell");
	map_at(b, SBX_R_THREADS, SBX_THREADS_MAX * SBX_THREAD_STRIDE, PROT_READ | PROT_WRITE,
	       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, "map the thread areas");
	map_at(b, SBX_R_SLOTS, SBX_SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, m->zygote_slots_fd,
	       "map the slots");
	/* A huge page for one runtime stack would cost 2 MiB and slow down each fork. */
	madvise((void *)(m->base + SBX_R_THREADS), SBX_THREADS_MAX * SBX_THREAD_STRIDE, MADV_NOHUGEPAGE);
	if (madvise((void *)(m->base + SBX_R_SLOTS), SBX_SLOTS_SIZE, MADV_DONTFORK) < 0)
		die(b, "keep the slots from children");
}

struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static void handle(struct boot *b, int signo)
{
	const struct sbx_stub_header *h = (const void *)sbx_stub_blob;
	uint64_t text = b->m->base + SBX_R_TEXT;
	struct kernel_sigaction sa = {
		.handler = (void *)(text + h->signal_handler),
		.flags = SBX_STUB_SA_FLAGS,
		.restorer = (void *)(text + h->restorer),
		.mask = ~0ull,
	};

	if (syscall(SYS_rt_sigaction, signo, &sa, NULL, 8) < 0)
		die(b, "set a signal handler");
}

static void set_signals(struct boot *b)
{
	static const int taken[] = {SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SBX_SIGKICK};
	struct kernel_sigaction dfl = {0};
	uint64_t none = 0;

	for (int s = 1; s <= 64; s++)
		if (s != SIGKILL && s != SIGSTOP)
			syscall(SYS_rt_sigaction, s, &dfl, NULL, 8);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		handle(b, taken[i]);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
}

static void set_limits(struct boot *b)
{
	static const struct {
		int resource;
		rlim_t max;
	} caps[] = {
		{RLIMIT_NOFILE, GUEST_NOFILE}, {RLIMIT_NPROC, GUEST_NPROC}, {RLIMIT_CORE, 0},
		{RLIMIT_MSGQUEUE, 0},          {RLIMIT_NICE, 0},            {RLIMIT_RTPRIO, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		struct rlimit lim;

		if (getrlimit(caps[i].resource, &lim) < 0)
			die(b, "read a resource limit");
		lim.rlim_max = MIN(lim.rlim_max, caps[i].max);
		lim.rlim_cur = MIN(lim.rlim_cur, lim.rlim_max);
		if (setrlimit(caps[i].resource, &lim) < 0)
			die(b, "set a resource limit");
	}
	struct rlimit lim;

	if (getrlimit(RLIMIT_STACK, &lim) == 0 && lim.rlim_max >= 8ul << 20) {
		lim.rlim_cur = 8ul << 20;
		setrlimit(RLIMIT_STACK, &lim);
	}
}

static void drop_privileges(struct boot *b)
{
	struct __user_cap_header_struct hdr = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {0};

	if (unshare(CLONE_NEWUSER) < 0)
		die(b, "make a user namespace for the guest processes");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die(b, "set no_new_privs");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &hdr, none) < 0)
		die(b, "drop all capabilities");
	/* sysd may look into it: it checks this flag against memd's namespace. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		die(b, "become readable to sysd");
}

/* What the C library has registered with the host kernel lies in memory that goes away. */
static void forget_libc(void)
{
	char *tp = __builtin_thread_pointer();

	if (__rseq_size)
		syscall(SYS_rseq, tp + __rseq_offset, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
	syscall(SYS_set_robust_list, NULL, 24);
	syscall(SYS_set_tid_address, NULL);
}

/* What the runtime unmaps first: all but itself and the vdso, which is below it (vdso.h). */
static struct sbx_range *list_leftovers(struct boot *b)
{
	struct sbx_range *list = (void *)(b->m->base + SBX_R_THREADS + SBX_AREA_ARGS);
	struct sbx_range keep[2] = {{b->vdso.start, b->vdso.end}, {b->m->base, b->m->base + SBX_R_SIZE}};
	uint64_t from = 0;
	int count = 0;

	for (int i = 0; i <= 2; i++) {
		uint64_t to = i < 2 ? keep[i].start : TASK_TOP;

		if (to > from)
			list[count++] = (struct sbx_range){from, to - from};
		if (i < 2)
			from = keep[i].size;
	}
	list[count] = (struct sbx_range){0, 0};
	return list;
}

/* When the container's memory is short, the host shall end a guest process and no service. */
static void be_killed_first(const struct memd *m)
{
	int fd = openat(m->proc_fd, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, "0", 1) < 0)
			log_debug("guest processes stay as the services are: %s", strerror(errno));
		close(fd);
	}
}

static void __attribute__((noreturn)) zygote_main(struct boot *b)
{
	const struct sbx_stub_header *h = (const void *)sbx_stub_blob;
	struct memd *m = b->m;
	static struct sock_filter prog[GUEST_FILTER_MAX];
	struct guest_filter gf = {
		.text_start = m->base + SBX_R_TEXT + h->text_begin,
		.text_end = m->base + SBX_R_TEXT + h->text_end,
		.clone_thread_flags = SBX_CLONE_THREAD_FLAGS,
		.clone_process_flags = SBX_CLONE_PROCESS_FLAGS,
		.slots_start = m->base + SBX_R_SLOTS,
	};
	int count = guest_filter_build(&gf, prog, ARRAY_SIZE(prog));
	struct sock_fprog fprog = {.len = (unsigned short)count, .filter = prog};

	if (count < 0) {
		errno = -count;
		die(b, "build the system call filter");
	}
	prctl(PR_SET_NAME, "sbx-guest", 0, 0, 0);
	be_killed_first(m);
	int moved = vdso_move(&b->vdso);

	if (moved < 0) {
		errno = -moved;
		die(b, "move the vdso");
	}
	map_region(b);
	set_limits(b);
	drop_privileges(b);
	set_signals(b);
	struct sbx_range *leftovers = list_leftovers(b);

	if (syscall(SYS_close_range, 0, ~0u, 0) < 0)
		die(b, "close all descriptors");
	forget_libc();
	/* From the filter on, only the runtime may make system calls. Its listener becomes descriptor 0. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &fprog) < 0)
		die(b, "install the system call filter");
	__asm__ volatile("jmp *%2"
			 :
			 : "D"(0ul), "S"(leftovers), "r"(m->base + SBX_R_TEXT + h->blank_entry)
			 : "memory");
	__builtin_unreachable();
}

/* ---- memd's side --------------------------------------------------------------------------*/

static uint32_t slot_state(struct sbx_slot *slot)
{
	return __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
}

static int take_listener(struct memd *m, pid_t pid)
{
	CLEANUP_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	uint64_t flags = SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP;

	if (pidfd < 0)
		return -errno;
	m->listener = (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);
	if (m->listener < 0)
		return -errno;
	/* Same-core switches where the host kernel has them (6.6). */
	ioctl(m->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags);
	return 0;
}

static int wait_for_hello(struct memd *m, pid_t pid)
{
	uint64_t until = mono_ns() + ZYGOTE_TIMEOUT_NS;
	struct report *report = report_of(m->zygote_slot);
	siginfo_t si;

	while (slot_state(m->zygote_slot) != SBX_SLOT_REQUEST) {
		si.si_pid = 0;
		if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG) < 0 || si.si_pid) {
			int error = report->error > 0 && report->error < 4096 ? report->error : EIO;

			report->what[sizeof(report->what) - 1] = '\0';
			if (report->error)
				log_error("the zygote cannot %s: %s", report->what, strerror(error));
			else
				log_error("the zygote died at its start (code %d, status %d)", si.si_code,
					  si.si_status);
			return -error;
		}
		if (mono_ns() > until) {
			kill(pid, SIGKILL);
			waitid(P_PID, (id_t)pid, &si, WEXITED);
			log_error("the zygote did not come up");
			return -ETIMEDOUT;
		}
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	}
	return __atomic_load_n(&m->zygote_slot->req, __ATOMIC_RELAXED) == SBX_REQ_HELLO ? 0 : -EPROTO;
}

static void run_op(struct memd *m, uint32_t kind, uint64_t nr, uint64_t arg0)
{
	struct sbx_slot *slot = m->zygote_slot;

	memset(&slot->ops[0], 0, sizeof(slot->ops[0]));
	slot->ops[0].kind = kind;
	slot->ops[0].nr = nr;
	slot->ops[0].args[0] = arg0;
	slot->op_count = 1;
	slot->act = SBX_ACT_HOSTOPS;
	__atomic_store_n(&slot->state, SBX_SLOT_REPLY, __ATOMIC_SEQ_CST);
	/* Always: the zygote sleeps nearly always, and a flag of its own is not to be relied on. */
	syscall(SYS_futex, &slot->state, FUTEX_WAKE, 1, NULL, NULL, 0);
	m->zygote_busy = true;
}

int zygote_start(struct memd *m)
{
	struct boot b = {.m = m};
	CLEANUP_CLOSE int text_fd = -1;
	int ret;

	ret = check_blob();
	if (ret) {
		log_error("the guest runtime in this binary is not one");
		return ret;
	}
	m->stub_size = sbx_stub_blob_size;
	ret = vdso_find(m->proc_fd, &b.vdso);
	if (ret) {
		log_error("cannot find the vdso in /proc/self/maps: %s", strerror(-ret));
		return ret;
	}
	m->vdso = b.vdso.text;
	m->vdso_size = b.vdso.end - b.vdso.text;
	ret = choose_base(&m->base);
	if (ret)
		return ret;
	/* sysd has its writable mapping; nobody else shall ever get one. */
	const int seals = F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;

	if ((fcntl(m->ctl_fd, F_GET_SEALS) & seals) != seals && fcntl(m->ctl_fd, F_ADD_SEALS, seals) < 0) {
		log_error("cannot seal the control page: %s", strerror(errno));
		return -errno;
	}
	text_fd = text_memfd_new();
	if (text_fd < 0)
		return text_fd;
	m->zygote_slots_fd = slots_memfd_new();
	if (m->zygote_slots_fd < 0)
		return m->zygote_slots_fd;
	m->zygote_slot = mmap(NULL, SBX_SLOT_STRIDE, PROT_READ | PROT_WRITE, MAP_SHARED, m->zygote_slots_fd, 0);
	if (m->zygote_slot == MAP_FAILED)
		return -errno;
	b.text_fd = text_fd;
	b.report = report_of(m->zygote_slot);

	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		zygote_main(&b);
	vdso_release(&b.vdso);
	ret = wait_for_hello(m, pid);
	if (ret)
		return ret;
	ret = take_listener(m, pid);
	if (ret) {
		log_error("cannot take the guests' seccomp listener: %s", strerror(-ret));
		kill(pid, SIGKILL);
		return ret;
	}
	m->zygote = proc_new(m, pid, PROC_ZYGOTE);
	if (!m->zygote)
		return -ENOMEM;
	log_info("guest processes: installing seccomp filter for %zu system calls", guest_filter_count());
	/* The zygote's own copy of the listener goes before there is any guest. */
	run_op(m, SBX_HOP_SYSCALL, SYS_close, 0);
	for (uint64_t until = mono_ns() + ZYGOTE_TIMEOUT_NS; m->zygote_busy && mono_ns() < until;) {
		zygote_poll(m);
		nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
	}
	return m->zygote_busy ? -ETIMEDOUT : 0;
}

void zygote_poll(struct memd *m)
{
	if (!m->zygote_busy || !m->zygote || slot_state(m->zygote_slot) != SBX_SLOT_REQUEST)
		return;
	m->zygote_busy = false;
	if (m->zygote_slot->ops[0].ret < 0)
		log_warn("the zygote's last order failed: %s",
			 strerror((int)-m->zygote_slot->ops[0].ret));
}

int zygote_order_blank(struct memd *m)
{
	struct slots *slots;
	uint32_t cookie;
	int ret;

	zygote_poll(m);
	if (!m->zygote)
		return -ESRCH;
	if (m->zygote_busy)
		return -EBUSY;
	do {
		if (getrandom(&cookie, sizeof(cookie), 0) != sizeof(cookie))
			return -EIO;
	} while (cookie == 0 || order_find_fork(m, cookie));
	slots = slots_for_blank(m);
	if (!slots)
		return -ENOMEM;
	ret = order_add_fork(m, m->zygote, cookie, true, slots);
	if (ret) {
		slots_free(slots);
		return ret;
	}
	m->blank_pending++;
	run_op(m, SBX_HOP_CLONE_PROCESS, 0, cookie);
	return 0;
}
