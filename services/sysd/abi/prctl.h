/* Guest ABI of prctl(2) and arch_prctl(2). */
#ifndef SYSD_ABI_PRCTL_H
#define SYSD_ABI_PRCTL_H

#include <linux/prctl.h> /* the numbers PR_* are the same */
#include <stdint.h>

#define ABI_ARCH_SET_GS 0x1001
#define ABI_ARCH_SET_FS 0x1002
#define ABI_ARCH_GET_FS 0x1003
#define ABI_ARCH_GET_GS 0x1004
#define ABI_ARCH_GET_CPUID 0x1011
#define ABI_ARCH_SET_CPUID 0x1012

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif
#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif

struct abi_prctl_mm_map {
	uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start,
		arg_end, env_start, env_end, auxv;
	uint32_t auxv_size, exe_fd;
};

#endif
