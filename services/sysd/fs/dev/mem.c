/* The memory devices (mem(4), null(4), random(4)): null, zero, full, random, urandom, kmsg. */
#include <errno.h>
#include <linux/random.h>
#include <stddef.h>
#include <sys/random.h>

#include "common/base/util.h"
#include "common/log/log.h"
#include "services/sysd/core/sched.h"
#include "services/sysd/fs/dev/chrdev.h"
#include "services/sysd/fs/dev/mem.h"
#include "services/sysd/mm/mmap_req.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/task/task.h"
#include "services/sysd/core/sleep.h"
#include "services/sysd/vfs/file.h"

#define PIECE (1ul << 20) /* others run between two pieces of a long transfer */

static void between_pieces(void)
{
	if (sched_current())
		sched_yield_strand();
}

static bool interrupted(void)
{
	struct task *t = current_task();

	return t && sleep_signal_pending(t);
}

static int64_t seek_nowhere(struct file *f, int64_t off, int whence)
{
	f->pos = 0;
	return 0;
}

static ssize_t read_nothing(struct file *f, struct uio *u, int64_t *pos)
{
	return 0;
}

static ssize_t write_away(struct file *f, struct uio *u, int64_t *pos)
{
	size_t size = u->resid;

	uio_advance(u, size);
	return (ssize_t)size;
}

static ssize_t read_zero(struct file *f, struct uio *u, int64_t *pos)
{
	size_t done = 0;

	while (u->resid) {
		size_t n = MIN(u->resid, PIECE);
		ssize_t got = uio_zero(u, n);

		if (got < 0)
			return done ? (ssize_t)done : got;
		done += (size_t)got;
		if ((size_t)got < n || (u->resid && interrupted()))
			break;
		if (u->resid)
			between_pieces();
	}
	return (ssize_t)done;
}

static ssize_t write_full(struct file *f, struct uio *u, int64_t *pos)
{
	return u->resid ? -ENOSPC : 0;
}

static int mmap_zero(struct file *f, struct mmap_req *req)
{
	req->anonymous = true;
	req->host_fd = -1;
	req->object_id = 0;
	return 0;
}

static ssize_t read_random(struct file *f, struct uio *u, int64_t *pos)
{
	size_t done = 0;

	while (u->resid) {
		static uint8_t buf[16384]; /* no sleep while it is in use */
		size_t n = MIN(u->resid, sizeof(buf));
		ssize_t got = getrandom(buf, n, 0);

		if (got < 0)
			return done ? (ssize_t)done : -errno;
		n = (size_t)got;
		got = uio_copy_to(u, buf, n);
		explicit_bzero(buf, n);
		if (got < 0)
			return done ? (ssize_t)done : got;
		done += (size_t)got;
		if ((size_t)got < n || (u->resid && interrupted()))
			break;
		if (u->resid && !(done % PIECE))
			between_pieces();
	}
	return (ssize_t)done;
}

static long ioctl_random(struct file *f, struct task *t, unsigned cmd, uint64_t arg)
{
	int bits = 256;

	switch (cmd) {
	case RNDGETENTCNT:
		return user_write(t, arg, &bits, sizeof(bits));
	case RNDADDTOENTCNT:
	case RNDADDENTROPY:
	case RNDZAPENTCNT:
	case RNDCLEARPOOL:
	case RNDRESEEDCRNG:
		return -EPERM; /* the host's pool is not the sandbox's to feed */
	}
	return -ENOTTY;
}

/* What the sandbox's programs tell the kernel log goes to the log of sysd, line by line. */
static ssize_t write_kmsg(struct file *f, struct uio *u, int64_t *pos)
{
	char line[512];
	size_t size = u->resid;
	ssize_t n = uio_copy_from(u, line, MIN(size, sizeof(line) - 1));

	if (n < 0)
		return n;
	line[n] = 0;
	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ')
			line[i] = ' ';
	log_info("kmsg: %s", line);
	uio_advance(u, size - (size_t)n);
	return (ssize_t)size;
}

static ssize_t read_kmsg(struct file *f, struct uio *u, int64_t *pos)
{
	return -EAGAIN;
}

static const struct file_ops null_fops = {.read = read_nothing, .write = write_away, .llseek = seek_nowhere};
static const struct file_ops zero_fops = {
    .read = read_zero, .write = write_away, .llseek = seek_nowhere, .mmap = mmap_zero};
static const struct file_ops full_fops = {.read = read_zero, .write = write_full, .llseek = seek_nowhere};
static const struct file_ops random_fops = {
    .read = read_random, .write = write_away, .llseek = seek_nowhere, .ioctl = ioctl_random};
static const struct file_ops kmsg_fops = {.read = read_kmsg, .write = write_kmsg, .llseek = seek_nowhere};

void mem_devices_init(void)
{
	chrdev_register(1, 3, &null_fops);
	chrdev_register(1, 5, &zero_fops);
	chrdev_register(1, 7, &full_fops);
	chrdev_register(1, 8, &random_fops);
	chrdev_register(1, 9, &random_fops);
	chrdev_register(1, 11, &kmsg_fops);
}
