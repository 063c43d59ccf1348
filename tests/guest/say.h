/* What the guest programs of the event families share: a call, printed with its result. */
#ifndef SAY_H
#define SAY_H
#ifndef _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline void say_result(const char *what, long r, int err)
{
	if (r < 0)
		printf("%s: %s\n", what, strerrorname_np(err));
	else
		printf("%s: %ld\n", what, r);
	fflush(stdout);
}
#define SAY_AS(what, expr)                                   \
	({                                                   \
		errno = 0;                                   \
		long say_r_ = (long)(expr);                  \
		say_result(what, say_r_, errno);             \
		say_r_;                                      \
	})
#define SAY(expr) SAY_AS(#expr, expr)
/* A descriptor: only whether there is one. */
#define SAY_FD(expr)                                                               \
	({                                                                         \
		errno = 0;                                                         \
		int say_fd_ = (expr);                                              \
		say_result(#expr, say_fd_ < 0 ? -1 : 0, errno);                    \
		say_fd_;                                                           \
	})
#define MUST(expr)                                                                 \
	({                                                                         \
		long must_r_ = (long)(expr);                                       \
		if (must_r_ < 0) {                                                 \
			printf("%s failed: %s\n", #expr, strerrorname_np(errno));  \
			exit(1);                                                   \
		}                                                                  \
		must_r_;                                                           \
	})
/* A pointer to nothing, and a value the compiler cannot see. */
static volatile uintptr_t say_bad_ = 8;
#define BAD ((void *)say_bad_)
static volatile int say_minus_ = -1;

static inline long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
static inline void sleep_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}
static inline void say_exit(int status)
{
	if (WIFEXITED(status))
		printf("exit %d\n", WEXITSTATUS(status));
	else
		printf("signal %d\n", WTERMSIG(status));
}
#endif
