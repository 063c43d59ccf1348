/* Facts about the host, gathered once at start-up, and figures of the sandbox as a whole. Nothing of
 * the host's present load is shown to a guest: free memory and load are the sandbox's own. */
#include <ctype.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/sys/kinfo.h"
#include "services/sysd/task/task.h"

struct kinfo_host kinfo_host;
static uint64_t mem_limit;

static char *read_all(const char *path, size_t *ret_size)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP_FREE char *buf = NULL;
	size_t size = 0, room = 0;

	if (fd < 0)
		return NULL;
	for (;;) {
		ssize_t n;

		if (room - size < 4096) {
			char *more = realloc(buf, room + 65536);

			if (!more)
				return NULL;
			buf = more;
			room += 65536;
		}
		n = read(fd, buf + size, room - size - 1);
		if (n < 0)
			return NULL;
		if (n == 0)
			break;
		size += (size_t)n;
	}
	buf[size] = 0;
	*ret_size = size;
	return STEAL_PTR(buf);
}

/* One paragraph for each CPU: the first `count`, numbered from 0. */
static char *make_cpuinfo(const char *host, unsigned count, size_t *ret_size)
{
	const char *end = host ? strstr(host, "\n\n") : NULL;
	size_t para = end ? (size_t)(end - host) + 1 : 0;
	char *out, *p;
	size_t room = count * (para + 256) + 1;

	out = malloc(room);
	if (!out)
		return NULL;
	p = out;
	for (unsigned cpu = 0; cpu < count; cpu++) {
		const char *line = host, *stop = host + para;

		if (!para)
			p += snprintf(p, room - (size_t)(p - out),
				      "processor\t: %u\nvendor_id\t: unknown\nmodel name\t: unknown\n", cpu);
		while (para && line < stop) {
			const char *eol = memchr(line, '\n', (size_t)(stop - line));
			size_t n = eol ? (size_t)(eol - line) + 1 : (size_t)(stop - line);

			if (!strncmp(line, "processor", 9))
				p += sprintf(p, "processor\t: %u\n", cpu);
			else if (!strncmp(line, "core id", 7))
				p += sprintf(p, "core id\t\t: %u\n", cpu);
			else if (!strncmp(line, "apicid", 6))
				p += sprintf(p, "apicid\t\t: %u\n", cpu);
			else if (!strncmp(line, "initial apicid", 14))
				p += sprintf(p, "initial apicid\t: %u\n", cpu);
			else if (!strncmp(line, "siblings", 8))
				p += sprintf(p, "siblings\t: %u\n", count);
			else if (!strncmp(line, "cpu cores", 9))
				p += sprintf(p, "cpu cores\t: %u\n", count);
			else if (!strncmp(line, "physical id", 11))
				p += sprintf(p, "physical id\t: 0\n");
			else {
				memcpy(p, line, n);
				p += n;
			}
			line += n;
		}
		*p++ = '\n';
	}
	*p = 0;
	*ret_size = (size_t)(p - out);
	return out;
}

void kinfo_host_init(void)
{
	cpu_set_t set;
	struct sysinfo si;
	size_t size = 0;
	CLEANUP_FREE char *text = read_all("/proc/cpuinfo", &size);
	bool known = sched_getaffinity(0, sizeof(set), &set) == 0;
	int count = 0;

	/* The CPU numbers a guest sees with rdpid are the host's: cover the highest one that is used. */
	for (int i = 0; known && i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			count = i + 1;
	if (count <= 0)
		count = (int)sysconf(_SC_NPROCESSORS_ONLN);
	kinfo_host.cpu_count = (unsigned)MIN(MAX(count, 1), KINFO_CPUS_MAX);
	memset(kinfo_host.cpus, 0, sizeof(kinfo_host.cpus));
	for (unsigned i = 0; i < kinfo_host.cpu_count; i++)
		if (!known || CPU_ISSET(i, &set))
			kinfo_host.cpus[i / 64] |= 1ull << (i % 64);
	if (sysinfo(&si) == 0)
		kinfo_host.mem_total = (uint64_t)si.totalram * si.mem_unit;
	free(kinfo_host.cpuinfo);
	kinfo_host.cpuinfo = make_cpuinfo(text, kinfo_host.cpu_count, &kinfo_host.cpuinfo_size);
	if (getrandom(kinfo_host.boot_id, sizeof(kinfo_host.boot_id), 0) < 0)
		kinfo_host.boot_id[0] = clock_real_ns();
}

void kinfo_set_mem_limit(uint64_t bytes)
{
	mem_limit = bytes;
}

#define MMS_MAX 512

void kinfo_mem(struct kinfo_mem *ret)
{
	struct mm **mms = calloc(MMS_MAX, sizeof(struct mm *));
	struct signal *sig;
	unsigned count = 0;

	memset(ret, 0, sizeof(*ret));
	ret->total = mem_limit && mem_limit < kinfo_host.mem_total ? mem_limit : kinfo_host.mem_total;
	if (mms) {
		/* asking may sleep, so hold them first */
		LIST_FOR_EACH (sig, signal_all(), all_node) {
			struct task *t = sig->leader;

			if (t && t->mm && !t->vfork_borrowed && count < MMS_MAX)
				mms[count++] = mm_ref(t->mm);
		}
		for (unsigned i = 0; i < count; i++) {
			struct mm_usage use;

			if (mm_usage(mms[i], &use) == 0) {
				ret->anon += use.rss - MIN(use.rss, use.shared);
				ret->shared = MAX(ret->shared, use.shared);
			}
			mm_unref(mms[i]);
		}
		free(mms);
	}
	ret->free = ret->total - MIN(ret->total, ret->anon + ret->shared);
}

void kinfo_load(uint64_t ret_load[3], unsigned *ret_running, unsigned *ret_total)
{
	/* exp(-5 s / 1, 5, 15 min) in 1/65536, as Linux's fixed point (11 bits) has them */
	static const uint64_t decay[3] = {60300, 64452, 65172};
	static uint64_t load[3], last_ns;
	unsigned running = 0, total = 0;
	uint64_t now = clock_mono_ns(), steps;
	struct task *t;

	LIST_FOR_EACH (t, task_all(), all_node) {
		if (t->state == TASK_ZOMBIE || t->state == TASK_DEAD)
			continue;
		total++;
		if (t->state == TASK_RUNNING || t->state == TASK_UNINT)
			running++;
	}
	if (!last_ns)
		last_ns = now;
	steps = (now - last_ns) / (5 * NSEC_PER_SEC);
	last_ns += steps * 5 * NSEC_PER_SEC;
	/* No clock ticks in an idle sandbox: what passed since the last look counts as it is now. */
	for (uint64_t n = 0; n < MIN(steps, 1000ul); n++)
		for (int i = 0; i < 3; i++)
			load[i] = (load[i] * decay[i] + ((uint64_t)running << 16) * (65536 - decay[i])) >> 16;
	for (int i = 0; i < 3; i++)
		ret_load[i] = load[i];
	*ret_running = running;
	*ret_total = total;
}
