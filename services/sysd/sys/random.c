/* getrandom(2): the host's generator. */
#include <sys/random.h>
#include "common/base/util.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/signal/signal.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

#define CHUNK 4096u

SYS_HANDLER(getrandom)
{
	size_t size = MIN(a[1], (uint64_t)INT32_MAX), done = 0;
	uint8_t buf[CHUNK];
	struct uio u;

	if (a[2] & ~(uint64_t)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((a[2] & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	uio_init_user(&u, t, a[0], size);
	while (done < size) {
		size_t n = MIN(size - done, (size_t)CHUNK);
		ssize_t put;

		for (size_t got = 0; got < n;) {
			ssize_t r = getrandom(buf + got, n - got, 0);

			if (r < 0 && errno != EINTR)
				return -errno;
			if (r > 0)
				got += (size_t)r;
		}
		put = uio_copy_to(&u, buf, n);
		if (put <= 0)
			return done ? (long)done : -EFAULT;
		done += (size_t)put;
		/* large requests neither hold up the others nor a signal */
		if (done < size && done % (64 * CHUNK) == 0) {
			if (signal_pending(t))
				break;
			sched_yield_strand();
		}
	}
	return (long)done;
}
