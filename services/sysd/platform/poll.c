/* The executor's watch over the slots of running guest threads, and the policy of polling.
 *
 * While the executor polls, a guest's call costs one cache line each way. It polls only while a guest
 * thread runs that could post one, and a CPU is left over for the polling; otherwise it sleeps on the
 * doorbell. The control page tells the guests which of the two holds: poller_cpu. Whether a CPU is left over
 * is asked of the host (the count of running threads in /proc/loadavg), when polling lasts longer than the
 * asking costs.
 *
 * The doorbell is writable by every guest process of the sandbox. A hostile one can undo another's ring
 * between its increment and our futex wait; so while any guest thread runs user code the sleep is
 * bounded (BACKSTOP_NS). An idle sandbox, all of whose threads sleep in calls or in a host futex wait,
 * sleeps without a limit. */
#include "services/sysd/platform/poll.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "common/base/util.h"
#include "common/ipc/startup.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/syscall/syscall.h"

#define SPIN_IDLE_CPU_NS 60000 /* a CPU is free: waking one costs more than this */
#define SPIN_BUSY_NS 6000      /* none is: only bridge the gap between two calls in a row */
#define SPIN_ASK_US 4          /* a guest on another CPU is often quicker than the question */
#define LOAD_EVERY_US 16
#define BACKSTOP_NS 20000000
#define GUESTS_ASKED 8
#define WAITING_EVERY 16       /* scans */
#define STREAK 64              /* so many calls in a row on our CPU... */
#define STREAK_CALL_US 15      /* ...each within this */
#define STREAK_PAUSE_US 5000
#define GUEST_SPIN_US 60

/* Those that wait on the host (slot.t0_wait) are looked at one time in many, so that a program of a thousand
 * sleeping threads is no slower in its calls than one of ten. */
static struct list polled = LIST_INIT(polled), waiting = LIST_INIT(waiting);
static unsigned polled_count, scans;
static struct sbx_ctl *ctl;
static uint32_t *bell;
static int ctl_fd = -1, bell_fd = -1;
static unsigned cpu_count, host_cpus;
static int load_fd = -1;
static uint64_t load_until; /* TSC: the last answer holds */
static bool cpu_free = true;
static struct {
	const struct hthread *ht; /* only compared */
	unsigned count;
	uint64_t since, not_before;
} streak;

void poll_add(struct hthread *ht)
{
	if (!list_empty(&ht->poll_node))
		return;
	list_add_tail(&polled, &ht->poll_node);
	polled_count++;
}

void poll_remove(struct hthread *ht)
{
	if (list_empty(&ht->poll_node))
		return;
	list_del(&ht->poll_node);
	polled_count--;
}

/* The C library's word, which the host keeps (rseq(2)), or the vDSO's: rdpid is younger than many processors. */
static unsigned current_cpu(void)
{
	int cpu = sched_getcpu();

	return cpu < 0 ? ~0u : (unsigned)cpu;
}

/* A guest and the executor that share a CPU take turns: there is never a second one that could run, so the host has
 * no reason to part them, and each call costs two switches. One that calls all the time is worth a CPU of ours:
 * we leave the one that it is on. */
static void move_away(unsigned cpu)
{
	cpu_set_t all, others;

	if (sched_getaffinity(0, sizeof(all), &all) < 0)
		return;
	others = all;
	CPU_CLR(cpu, &others);
	if (CPU_COUNT(&others) && sched_setaffinity(0, sizeof(others), &others) == 0)
		sched_setaffinity(0, sizeof(all), &all);
}

static void note_request(const struct hthread *ht)
{
	unsigned cpu = current_cpu();
	uint64_t now;

	if (ht != streak.ht || hthread_slot(ht)->guest_cpu != cpu) {
		/* Guests that take turns with each other as well are best off on one CPU. */
		streak.ht = ht;
		streak.count = 0;
		return;
	}
	now = __rdtsc();
	if (!streak.count++)
		streak.since = now;
	if (streak.count < STREAK)
		return;
	streak.count = 0;
	if (now - streak.since > STREAK * STREAK_CALL_US * sched_tsc_per_us() || now < streak.not_before)
		return;
	streak.not_before = now + STREAK_PAUSE_US * sched_tsc_per_us();
	move_away(cpu);
}

static bool waits_on_host(const struct hthread *ht)
{
	return __atomic_load_n(&hthread_slot(ht)->t0_wait, __ATOMIC_RELAXED);
}

static bool scan_list(struct list *list)
{
	struct hthread *ht, *next;
	bool any = false;

	LIST_FOR_EACH_SAFE(ht, next, list, poll_node) {
		bool is_waiting = list == &waiting;

		if (__atomic_load_n(&hthread_slot(ht)->state, __ATOMIC_ACQUIRE) == SBX_SLOT_REQUEST) {
			note_request(ht);
			hthread_take_request(ht);
			any = true;
		} else if (waits_on_host(ht) != is_waiting) {
			list_del(&ht->poll_node);
			list_add_tail(is_waiting ? &polled : &waiting, &ht->poll_node);
		}
	}
	return any;
}

static bool scan(bool all)
{
	bool any = false;

	if (all || ++scans % WAITING_EVERY == 0)
		any = scan_list(&waiting);
	return scan_list(&polled) || any;
}

static void publish_cpu(void)
{
	int32_t cpu = (int32_t)current_cpu();

	if (ctl->poller_cpu != cpu)
		__atomic_store_n(&ctl->poller_cpu, cpu, __ATOMIC_RELEASE);
}

/* Is there a guest thread that may still post a request without being woken? Asked right after a scan of all. */
static bool guests_run(void)
{
	struct hthread *ht;

	LIST_FOR_EACH(ht, &polled, poll_node)
		if (!waits_on_host(ht))
			return true;
	return false;
}

/* Are there more CPUs than threads that want one? We are one of those. */
static bool ask_load(void)
{
	char buf[128], *p;
	ssize_t n = pread(load_fd, buf, sizeof(buf) - 1, 0);
	unsigned fields = 0;

	if (n <= 0)
		return true;
	buf[n] = '\0';
	for (p = buf; *p && fields < 3; p++)
		fields += *p == ' ';
	return strtoul(p, NULL, 10) <= host_cpus;
}

static bool cpu_is_free(void)
{
	uint64_t now = __rdtsc();

	if (load_fd < 0)
		return polled_count < cpu_count;
	if (now > load_until) {
		cpu_free = ask_load();
		load_until = now + LOAD_EVERY_US * sched_tsc_per_us();
	}
	return cpu_free;
}

/* A guest that last ran on the CPU that we are on needs it: it cannot say anything while we poll. One that runs
 * elsewhere may, and one that was woken elsewhere and has not come to its reply yet soon will. */
static uint64_t spin_budget(void)
{
	struct hthread *ht;
	unsigned cpu = current_cpu(), asked = 0;
	bool elsewhere = false, waking = false;

	LIST_FOR_EACH(ht, &polled, poll_node) {
		const struct sbx_slot *s = hthread_slot(ht);

		if (++asked > GUESTS_ASKED) {
			elsewhere = true;
			break;
		}
		if (ht->where != HT_USER || s->t0_wait || s->guest_cpu == cpu)
			continue;
		elsewhere = true;
		waking |= __atomic_load_n(&s->state, __ATOMIC_RELAXED) == SBX_SLOT_REPLY;
	}
	if (!elsewhere)
		return 0;
	if (sched_contended())
		return SPIN_BUSY_NS;
	return waking || sched_quiet_us() < SPIN_ASK_US || cpu_is_free() ? SPIN_IDLE_CPU_NS : SPIN_BUSY_NS;
}

static struct sched_source source;

static bool poll_slots(struct sched_source *src)
{
	if (!polled_count) {
		src->spin_ns = 0;
		return false;
	}
	publish_cpu();
	if (scan(false))
		return true;
	src->spin_ns = spin_budget();
	return false;
}

static void when_idle(struct sched_source *src)
{
	hthread_say_byes();
}

static bool before_sleep(struct sched_source *src)
{
	src->futex_val = __atomic_load_n(bell, __ATOMIC_SEQ_CST);
	__atomic_store_n(&ctl->poller_cpu, -1, __ATOMIC_SEQ_CST);
	if (scan(true)) {
		publish_cpu();
		return false;
	}
	src->max_sleep_ns = guests_run() ? BACKSTOP_NS : 0;
	return true;
}

static void after_sleep(struct sched_source *src)
{
	publish_cpu();
}

/* Guest code may call at any moment. */
static bool busy(struct sched_source *src)
{
	return polled_count > 0;
}

static struct sched_source source = {
    .name = "slots",
    .poll = poll_slots,
    .before_sleep = before_sleep,
    .after_sleep = after_sleep,
    .busy = busy,
    .idle = when_idle,
};

static int shared_page(const char *name, size_t size, unsigned seals, void **ret_p)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), ret;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0)
		goto fail;
	*ret_p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*ret_p == MAP_FAILED)
		goto fail;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | seals) < 0)
		goto fail;
	return fd;
fail:
	ret = -errno;
	close(fd);
	return ret;
}

int platform_init(void)
{
	cpu_set_t set;
	void *p = NULL;

	/* Nobody else can map the control page for writing, not even by mprotect: the seal forbids
	 * what comes after our own mapping. */
	ctl_fd = shared_page("sbx-ctl", SBX_R_CTL_SIZE, F_SEAL_FUTURE_WRITE, &p);
	if (ctl_fd < 0)
		return ctl_fd;
	ctl = p;
	bell_fd = shared_page("sbx-bell", SBX_PAGE_SIZE, 0, &p);
	if (bell_fd < 0)
		return bell_fd;
	bell = p;
	host_cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	if (fcntl(SYSD_FD_LOAD, F_GETFD) >= 0)
		load_fd = SYSD_FD_LOAD;
	cpu_count = sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
	ctl->cpu_count = cpu_count;
	ctl->spin_tsc = cpu_count > 1 ? GUEST_SPIN_US * sched_tsc_per_us() : 0;
	ctl->poller_cpu = -1;
	ctl->patching = 1;
	syscall_fill_hints(ctl);
	source.futex = bell;
	sched_add_source(&source);
	return 0;
}

struct sbx_ctl *platform_ctl(void)
{
	return ctl;
}

int platform_ctl_fd(void)
{
	return ctl_fd;
}

int platform_bell_fd(void)
{
	return bell_fd;
}
