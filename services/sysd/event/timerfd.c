/* timerfd_create(2) and its kin. A periodic timer fires once and is not armed again before somebody reads
 * it (as on Linux): the periods that passed meanwhile are counted then. */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>

#include "common/base/util.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/event/seek.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/time/clockid.h"
#include "services/sysd/time/timespec.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/poll.h"

struct timerfd {
	int clock_id, host_id; /* as given; the host's clock behind it */
	unsigned flags;        /* of the last settime */
	bool armed, expired;   /* expired: fired, and the period not yet counted on */
	bool cancelled;        /* the clock was set (TFD_TIMER_CANCEL_ON_SET) */
	uint64_t ticks, expires_ns, interval_ns; /* expires_ns on host_id */
	int64_t real_offset_ns; /* CLOCK_REALTIME against CLOCK_MONOTONIC when it was set */
	struct ktimer timer;
	struct waitq wait;
};

static int64_t real_offset(void)
{
	return (int64_t)(clock_real_ns() - clock_mono_ns());
}

#define CLOCK_STEP_NS 1000000 /* the two clocks are slewed together: what differs more is a step */

static void check_cancel(struct timerfd *tf)
{
	int64_t diff;

	if (!(tf->flags & TFD_TIMER_CANCEL_ON_SET) || tf->host_id != ABI_CLOCK_REALTIME)
		return;
	diff = real_offset() - tf->real_offset_ns;
	if (diff < CLOCK_STEP_NS && diff > -CLOCK_STEP_NS)
		return;
	tf->real_offset_ns += diff;
	tf->cancelled = true;
	tf->ticks++;
}

static int arm(struct timerfd *tf)
{
	tf->armed = true;
	tf->expired = false;
	return ktimer_start(&tf->timer, clock_to_mono(tf->host_id, tf->expires_ns));
}

static void fires(struct ktimer *kt)
{
	struct timerfd *tf = CONTAINER_OF(kt, struct timerfd, timer);

	if (clock_ns(tf->host_id) < tf->expires_ns) { /* the clock was set back meanwhile */
		(void)arm(tf);
		return;
	}
	tf->expired = true;
	tf->ticks++;
	waitq_wake(&tf->wait, INT32_MAX, EPOLLIN);
}

/* Counts the periods that passed since a periodic timer fired, and arms it again. */
static void catch_up(struct timerfd *tf)
{
	uint64_t now, n;

	if (!tf->expired || !tf->interval_ns)
		return;
	now = clock_ns(tf->host_id);
	n = now >= tf->expires_ns ? (now - tf->expires_ns) / tf->interval_ns + 1 : 1;
	tf->expires_ns += n * tf->interval_ns;
	tf->ticks += n - 1;
	(void)arm(tf);
}

static ssize_t tfd_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct timerfd *tf = f->priv;
	uint64_t ticks;
	int ret;

	(void)pos;
	if (u->resid < sizeof(ticks))
		return -EINVAL;
	check_cancel(tf);
	if (!tf->ticks) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		ret = WAIT_EVENT_INTR(&tf->wait, tf->ticks);
		if (ret)
			return ret;
		check_cancel(tf);
	}
	if (tf->cancelled) {
		tf->cancelled = false;
		tf->ticks = 0;
		return -ECANCELED;
	}
	catch_up(tf);
	ticks = tf->ticks;
	tf->expired = false;
	tf->ticks = 0;
	return uio_copy_to(u, &ticks, sizeof(ticks)) < 0 ? -EFAULT : (ssize_t)sizeof(ticks);
}

static uint32_t tfd_poll(struct file *f, struct poll_table *pt)
{
	struct timerfd *tf = f->priv;

	poll_wait(pt, &tf->wait);
	check_cancel(tf);
	return tf->ticks ? EPOLLIN : 0;
}

static void tfd_release(struct file *f)
{
	struct timerfd *tf = f->priv;

	ktimer_cancel(&tf->timer);
	free(tf);
}

static struct abi_itimerspec current_value(struct timerfd *tf)
{
	struct abi_itimerspec its = {{0, 0}, {0, 0}};
	uint64_t now;

	catch_up(tf);
	its.interval = ns_timespec(tf->interval_ns);
	if (tf->armed && !tf->expired) {
		now = clock_ns(tf->host_id);
		its.value = ns_timespec(tf->expires_ns > now ? tf->expires_ns - now : 0);
	}
	return its;
}

static int tfd_show_fdinfo(struct file *f, char *buf, size_t size)
{
	struct timerfd *tf = f->priv;
	uint64_t now = clock_ns(tf->host_id);
	struct abi_timespec value = {0, 0}, interval = ns_timespec(tf->interval_ns);

	if (tf->armed && !tf->expired && tf->expires_ns > now)
		value = ns_timespec(tf->expires_ns - now);
	return snprintf(buf, size,
			"clockid: %d\nticks: %llu\nsettime flags: 0%o\nit_value: (%lld, %lld)\n"
			"it_interval: (%lld, %lld)\n",
			tf->clock_id, (unsigned long long)tf->ticks, tf->flags, (long long)value.sec,
			(long long)value.nsec, (long long)interval.sec, (long long)interval.nsec);
}

static const struct file_ops timerfd_fops = {
	.release = tfd_release,
	.read = tfd_read,
	.llseek = noop_llseek,
	.poll = tfd_poll,
	.show_fdinfo = tfd_show_fdinfo,
};

SYS_HANDLER(timerfd_create)
{
	int clock_id = (int)a[0], host_id = clock_id, ret;
	unsigned flags = (unsigned)a[1];
	struct timerfd *tf;
	struct file *f;

	if (flags & ~(unsigned)(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	switch (clock_id) {
	case ABI_CLOCK_MONOTONIC:
	case ABI_CLOCK_REALTIME:
	case ABI_CLOCK_BOOTTIME:
		break;
	case ABI_CLOCK_REALTIME_ALARM:
	case ABI_CLOCK_BOOTTIME_ALARM:
		if (!capable(t, CAP_WAKE_ALARM))
			return -EPERM;
		host_id = clock_id == ABI_CLOCK_REALTIME_ALARM ? ABI_CLOCK_REALTIME : ABI_CLOCK_BOOTTIME;
		break;
	default:
		return -EINVAL;
	}
	tf = calloc(1, sizeof(*tf));
	if (!tf)
		return -ENOMEM;
	tf->clock_id = clock_id;
	tf->host_id = host_id;
	tf->real_offset_ns = real_offset();
	ktimer_init(&tf->timer, fires);
	waitq_init(&tf->wait);
	ret = file_new_anon("anon_inode:[timerfd]", 0600, &timerfd_fops, O_RDWR | (flags & O_NONBLOCK), tf,
			    &f);
	if (ret) {
		free(tf);
		return ret;
	}
	ret = fd_install(t, f, 0, flags & TFD_CLOEXEC);
	if (ret < 0)
		file_unref(f);
	return ret;
}

static int get_timerfd(struct task *t, int fd, struct file **ret_f)
{
	struct file *f = fd_get(t, fd);

	if (!f)
		return -EBADF;
	if (f->op != &timerfd_fops) {
		file_unref(f);
		return -EINVAL;
	}
	*ret_f = f;
	return 0;
}

static int set(struct timerfd *tf, const struct abi_itimerspec *its, unsigned flags)
{
	uint64_t value = timespec_ns(&its->value), now;

	ktimer_cancel(&tf->timer);
	tf->armed = tf->expired = tf->cancelled = false;
	tf->ticks = 0;
	tf->flags = flags;
	tf->real_offset_ns = real_offset();
	tf->interval_ns = timespec_ns(&its->interval);
	if (!value)
		return 0;
	now = clock_ns(tf->host_id);
	if (!(flags & TFD_TIMER_ABSTIME))
		value = value > TIME_NS_MAX - now ? TIME_NS_MAX : value + now;
	tf->expires_ns = value;
	return arm(tf);
}

SYS_HANDLER(timerfd_settime)
{
	unsigned flags = (unsigned)a[1];
	struct abi_itimerspec its, old;
	struct file *f;
	int ret;

	if (user_get(t, its, a[2]))
		return -EFAULT;
	if (flags & ~(unsigned)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) || !timespec_valid(&its.value) ||
	    !timespec_valid(&its.interval))
		return -EINVAL;
	ret = get_timerfd(t, (int)a[0], &f);
	if (ret)
		return ret;
	old = current_value(f->priv);
	ret = set(f->priv, &its, flags);
	if (!ret && a[3] && user_put(t, old, a[3]))
		ret = -EFAULT;
	file_unref(f);
	return ret;
}

SYS_HANDLER(timerfd_gettime)
{
	struct abi_itimerspec its;
	struct file *f;
	int ret = get_timerfd(t, (int)a[0], &f);

	if (ret)
		return ret;
	its = current_value(f->priv);
	file_unref(f);
	return user_put(t, its, a[1]) ? -EFAULT : 0;
}
