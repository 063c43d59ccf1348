/* A ring of log records and syslog(2) on it. */
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/core/waitq.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/kinfo.h"
#include "services/sysd/sys/klog.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

#define KLOG_RECORDS 512
#define KLOG_BUF_SIZE 65536 /* what SIZE_BUFFER says */

struct record {
	uint64_t time_ns;
	uint8_t level;
	char text[118];
};
static struct record ring[KLOG_RECORDS];
static uint64_t first_seq, next_seq, clear_seq, read_seq;
static struct waitq readers = {LIST_INIT(readers.entries)};

void klog(int level, const char *fmt, ...)
{
	struct record *r = &ring[next_seq % KLOG_RECORDS];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	r->level = (uint8_t)level;
	r->time_ns = clock_ns(CLOCK_BOOTTIME);
	next_seq++;
	if (next_seq - first_seq > KLOG_RECORDS)
		first_seq = next_seq - KLOG_RECORDS;
	waitq_wake_all(&readers);
}

void klog_boot(void)
{
	klog(KLOG_NOTICE, "Linux version " KINFO_RELEASE " (" KINFO_BUILDER ") " KINFO_VERSION);
	klog(KLOG_INFO, "sbx: kernel in user space, %u CPUs, %llu MiB of memory", kinfo_host.cpu_count,
	     (unsigned long long)(kinfo_host.mem_total >> 20));
}

uint64_t klog_first(void)
{
	return first_seq;
}

uint64_t klog_next(void)
{
	return next_seq;
}

ssize_t klog_record(uint64_t seq, char *buf, size_t size)
{
	const struct record *r = &ring[seq % KLOG_RECORDS];

	if (seq < first_seq)
		return -EPIPE;
	if (seq >= next_seq)
		return -EAGAIN;
	return snprintf(buf, size, "%u,%llu,%llu,-;%s\n", r->level, (unsigned long long)seq,
			(unsigned long long)r->time_ns / 1000, r->text);
}

static int line_of(uint64_t seq, char *buf, size_t size)
{
	const struct record *r = &ring[seq % KLOG_RECORDS];

	return snprintf(buf, size, "<%u>[%5llu.%06llu] %s\n", r->level,
			(unsigned long long)(r->time_ns / NSEC_PER_SEC),
			(unsigned long long)(r->time_ns % NSEC_PER_SEC / 1000), r->text);
}

/* SYSLOG_ACTION_READ_ALL: the newest lines that fit. */
static long read_all(struct task *t, uint64_t ubuf, size_t size, bool clear)
{
	uint64_t seq = next_seq, low = MAX(clear_seq, first_seq);
	char line[192];
	size_t total = 0, done = 0;

	while (seq > low) {
		int n = line_of(seq - 1, line, sizeof(line));

		if (total + (size_t)n > size)
			break;
		total += (size_t)n;
		seq--;
	}
	for (; seq < next_seq && done < total; seq++) {
		int n = line_of(seq, line, sizeof(line));

		if (user_write(t, ubuf + done, line, (size_t)n))
			return -EFAULT;
		done += (size_t)n;
	}
	if (clear)
		clear_seq = next_seq;
	return (long)done;
}

static long read_next(struct task *t, uint64_t ubuf, size_t size)
{
	char line[192];
	size_t done = 0;
	int err = WAIT_EVENT_INTR(&readers, read_seq < next_seq);

	if (err)
		return err;
	read_seq = MAX(read_seq, first_seq);
	while (read_seq < next_seq) {
		int n = line_of(read_seq, line, sizeof(line));

		if (done + (size_t)n > size)
			break;
		if (user_write(t, ubuf + done, line, (size_t)n))
			return done ? (long)done : -EFAULT;
		done += (size_t)n;
		read_seq++;
	}
	return (long)done;
}

SYS_HANDLER(syslog)
{
	int type = (int)a[0];
	int size = (int)a[2];
	long unread = 0;
	char line[192];

	if (!(type == 3 || type == 10) || sysctl_dmesg_restrict) {
		if (!capable(t, CAP_SYSLOG) && !capable(t, CAP_SYS_ADMIN))
			return -EPERM;
	}
	switch (type) {
	case 0: /* CLOSE */
	case 1: /* OPEN */
		return 0;
	case 2: /* READ */
	case 3: /* READ_ALL */
	case 4: /* READ_CLEAR */
		if (!a[1] || size < 0)
			return -EINVAL;
		if (!size)
			return 0;
		if (type == 2)
			return read_next(t, a[1], (size_t)size);
		return read_all(t, a[1], (size_t)size, type == 4);
	case 5: /* CLEAR */
		clear_seq = next_seq;
		return 0;
	case 6: /* CONSOLE_OFF */
	case 7: /* CONSOLE_ON */
		return 0;
	case 8: /* CONSOLE_LEVEL */
		if (size < 1 || size > 8)
			return -EINVAL;
		sysctl_printk[0] = size;
		return 0;
	case 9: /* SIZE_UNREAD */
		for (uint64_t s = MAX(read_seq, first_seq); s < next_seq; s++)
			unread += line_of(s, line, sizeof(line));
		return unread;
	case 10: /* SIZE_BUFFER */
		return KLOG_BUF_SIZE;
	}
	return -EINVAL;
}
