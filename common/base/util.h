/* Small things every process uses: cleanup attributes, steal, arithmetic helpers. */
#ifndef SBX_BASE_UTIL_H
#define SBX_BASE_UTIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define MIN(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define MAX(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define ALIGN_UP(x, a) (((x) + (a)-1) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define SBX_PAGE_SIZE 4096ul

/* Ownership: a variable declared with one of these is released when it leaves its scope;
 * STEAL_PTR and STEAL_FD hand the value on and disarm the cleanup. */
static inline void cleanup_free_(void *p)
{
	free(*(void **)p);
}
static inline void cleanup_close_(const int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		close(*fd);
		errno = saved;
	}
}
#define CLEANUP_FREE __attribute__((cleanup(cleanup_free_)))
#define CLEANUP_CLOSE __attribute__((cleanup(cleanup_close_)))
#define STEAL_PTR(p) ({ __typeof__(p) p_ = (p); (p) = NULL; p_; })
#define STEAL_FD(fd) ({ int fd_ = (fd); (fd) = -1; fd_; })

/* close() that accepts -1 and keeps errno; sets the variable to -1. */
static inline void close_fd(int *fd)
{
	cleanup_close_(fd);
	*fd = -1;
}

#endif
