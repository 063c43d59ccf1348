/* Printing what a guest program sees: a call, its result, and the error's name when it failed. */
#ifndef TESTS_GUEST_SHOW_H
#define TESTS_GUEST_SHOW_H
#ifndef _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static inline long show_(const char *what, long ret, int err)
{
	if (ret == -1)
		printf("%s: -1 %s\n", what, strerrorname_np(err));
	else
		printf("%s: %ld\n", what, ret);
	fflush(stdout);
	return ret;
}
/* Result as it is. */
#define SHOW(call) ({ errno = 0; long r_ = (long)(call); show_(#call, r_, errno); })
/* Only whether it worked: for descriptors, ids and addresses. */
#define SHOW_OK(call)                                                                  \
	({                                                                             \
		errno = 0;                                                             \
		long r_ = (long)(call);                                                \
		printf("%s: %s\n", #call, r_ == -1 ? strerrorname_np(errno) : "ok");   \
		fflush(stdout);                                                        \
		r_;                                                                    \
	})
#define CHECK(cond) printf("%s: %s\n", #cond, (cond) ? "yes" : "NO")
#endif
