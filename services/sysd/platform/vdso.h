/* Functions of the vDSO. */
#ifndef SYSD_PLATFORM_VDSO_H
#define SYSD_PLATFORM_VDSO_H
#include <stdint.h>
/* Where the function lies in a process whose vDSO begins at base; 0 when there is none. The host
 * maps the same image into every 64-bit process, so sysd looks into its own. */
uint64_t vdso_function(uint64_t base, const char *name);
#endif
