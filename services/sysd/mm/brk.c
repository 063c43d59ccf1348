/* brk(2): the heap is an anonymous mapping that starts a random distance behind the image. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "services/sysd/mm/internal.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/vma.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

/* brk(2) never fails in the usual way: it returns where the break is. */
SYS_HANDLER(brk)
{
	struct mm *mm = t->mm;
	uint64_t want = a[0], old_end = page_round(mm->brk), new_end = page_round(want);
	uint64_t limit = t->signal->rlim[RLIMIT_DATA].rlim_cur;

	if (want < mm->start_brk || want >= USER_TOP || mm_touches_runtime(mm->start_brk, want - mm->start_brk))
		return (long)mm->brk;
	if (limit != UINT64_MAX && want - mm->start_brk + (mm->end_data - mm->start_data) > limit)
		return (long)mm->brk;
	if (new_end > old_end) {
		int64_t ret = hthread_syscall(t, SYS_mmap, old_end, new_end - old_end, PROT_READ | PROT_WRITE,
					      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, (uint64_t)-1, 0);

		if (ret != (int64_t)old_end)
			return (long)mm->brk;
	} else if (new_end < old_end) {
		if (hthread_syscall(t, SYS_munmap, new_end, old_end - new_end, 0, 0, 0, 0) < 0)
			return (long)mm->brk;
	}
	mm->brk = want;
	return (long)want;
}
