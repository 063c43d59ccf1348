/* process_vm_readv(2) and process_vm_writev(2) between guest processes: the bytes go through sysd, in
 * pieces, because neither host process may see the other. */
#include <errno.h>
#include <limits.h>
#include "common/base/util.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/uio.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/pids.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/ptrace.h"
#include "services/sysd/task/task.h"

#define PIECE (64 * 1024ul)

struct abi_iovec {
	uint64_t base, size;
};

static int read_iov(struct task *t, uint64_t uaddr, uint64_t count, struct abi_iovec **ret_iov)
{
	struct abi_iovec *iov;
	uint64_t total = 0;

	if (count > IOV_MAX)
		return -EINVAL;
	iov = malloc((count + 1) * sizeof(*iov));
	if (!iov)
		return -ENOMEM;
	if (user_read(t, iov, uaddr, count * sizeof(*iov))) {
		free(iov);
		return -EFAULT;
	}
	for (uint64_t i = 0; i < count; i++) {
		if (iov[i].size > (uint64_t)SSIZE_MAX - total) {
			free(iov);
			return -EINVAL;
		}
		total += iov[i].size;
	}
	*ret_iov = iov;
	return 0;
}

static long copy_between(struct task *t, struct mm *mm, struct uio *local, const struct abi_iovec *iov,
			 uint64_t count, bool write)
{
	CLEANUP_FREE uint8_t *buf = malloc(PIECE);
	long total = 0;

	if (!buf)
		return -ENOMEM;
	for (uint64_t i = 0; i < count && local->resid; i++) {
		for (uint64_t done = 0; done < iov[i].size && local->resid;) {
			size_t n = MIN(MIN(PIECE, iov[i].size - done), local->resid);
			ssize_t got;

			if (write) {
				got = uio_copy_from(local, buf, n);
				if (got > 0)
					got = mm_write(mm, iov[i].base + done, buf, (size_t)got);
			} else {
				got = mm_read(mm, buf, iov[i].base + done, n);
				if (got > 0)
					got = uio_copy_to(local, buf, (size_t)got);
			}
			if (got <= 0)
				return total ? total : -EFAULT;
			total += got;
			done += (uint64_t)got;
			if ((size_t)got < n)
				return total;
		}
	}
	return total;
}

static long process_vm(struct task *t, const uint64_t a[6], bool write)
{
	struct abi_iovec *iov = NULL;
	struct task *target;
	struct uio local;
	struct mm *mm;
	long ret;

	if (a[5])
		return -EINVAL;
	if (a[2] > IOV_MAX)
		return -EINVAL;
	ret = uio_init_iovec(&local, t, a[1], a[2]);
	if (ret)
		return ret;
	ret = read_iov(t, a[3], a[4], &iov);
	if (ret)
		goto out;
	ret = 0;
	if (!local.resid)
		goto out;
	target = pids_find_task(t, (int32_t)a[0]);
	ret = -ESRCH;
	if (!target || !target->mm)
		goto out;
	ret = -EPERM;
	if (!ptrace_may_access(t, target))
		goto out;
	mm = mm_ref(target->mm);
	ret = copy_between(t, mm, &local, iov, a[4], write);
	mm_unref(mm);
out:
	free(iov);
	uio_done(&local);
	return ret;
}

SYS_HANDLER(process_vm_readv)
{
	return process_vm(t, a, false);
}
SYS_HANDLER(process_vm_writev)
{
	return process_vm(t, a, true);
}
