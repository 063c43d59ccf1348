/* personality(2) and arch_prctl(2). */
#include "services/sysd/abi/prctl.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/platform/hthread.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"

SYS_HANDLER(personality)
{
	uint32_t old = t->personality;

	if ((uint32_t)a[0] != 0xffffffffu)
		t->personality = (uint32_t)a[0];
	return (long)old;
}

/* FS is the runtime's own as a rule (T0); a traced task's calls come here. */
SYS_HANDLER(arch_prctl)
{
	struct sbx_regs *regs = &t->ht->regs;

	switch ((int)a[0]) {
	case ABI_ARCH_SET_FS:
	case ABI_ARCH_SET_GS:
		if (a[1] >> 47)
			return -EPERM;
		if ((int)a[0] == ABI_ARCH_SET_FS)
			regs->fs_base = a[1];
		else
			regs->gs_base = a[1];
		regs->rax = 0;
		t->regs_replaced = true;
		return 0;
	case ABI_ARCH_GET_FS:
		return user_put(t, regs->fs_base, a[1]);
	case ABI_ARCH_GET_GS:
		return user_put(t, regs->gs_base, a[1]);
	case ABI_ARCH_GET_CPUID:
		return 1;
	case ABI_ARCH_SET_CPUID:
		return -ENODEV;
	default:
		return -EINVAL;
	}
}
