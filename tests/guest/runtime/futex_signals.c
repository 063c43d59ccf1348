/* Futex waits that signals end, restart, or leave alone. */
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include "tests/guest/show.h"

static int word = 1;
static volatile int hits;
static pthread_t main_thread;
static void on_usr1(int signo)
{
	hits++;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void *later(void *arg)
{
	usleep(30000);
	pthread_kill(main_thread, SIGUSR1);
	usleep(30000);
	pthread_kill(main_thread, SIGUSR1);
	usleep(30000);
	if (arg) {
		word = 2;
		syscall(SYS_futex, &word, FUTEX_WAKE, 1);
	}
	return NULL;
}

static void one(const char *what, int flags, int ignore, int op, long ms, int wake)
{
	struct sigaction sa = {.sa_handler = on_usr1, .sa_flags = flags};
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000}, *tp = ms ? &ts : NULL;
	pthread_t t;
	long r, start = now_ms();

	if (ignore)
		sa.sa_handler = SIG_IGN;
	if ((op & 127) == FUTEX_WAIT_BITSET && ms) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		ts.tv_sec++;
	}
	hits = 0;
	word = 1;
	sigaction(SIGUSR1, &sa, NULL);
	pthread_create(&t, NULL, later, (void *)(long)wake);
	errno = 0;
	r = syscall(SYS_futex, &word, op, 1, tp, NULL, -1);
	start = now_ms() - start;
	printf("%s: %ld %s after %s\n", what, r, r < 0 ? strerrorname_np(errno) : "",
	       start < 25 ? "nothing" : start < 55 ? "the first" : start < 85 ? "the second" : start < 400 ? "the wake" : "the time");
	pthread_join(t, NULL);
	printf("  hits %d\n", hits);
}

int main(void)
{
	main_thread = pthread_self();
	one("wait, handler", 0, 0, FUTEX_WAIT, 0, 1);
	one("wait, restarting handler", SA_RESTART, 0, FUTEX_WAIT, 0, 1);
	one("timed wait, handler", 0, 0, FUTEX_WAIT, 500, 0);
	one("timed wait, restarting handler", SA_RESTART, 0, FUTEX_WAIT, 500, 0);
	one("timed wait, ignored", 0, 1, FUTEX_WAIT, 500, 0);
	one("wait, ignored", 0, 1, FUTEX_WAIT, 0, 1);
	one("private wait, handler", 0, 0, FUTEX_WAIT_PRIVATE, 0, 0);
	one("bitset, restarting handler", SA_RESTART, 0, FUTEX_WAIT_BITSET, 0, 1);
	one("timed bitset, restarting handler", SA_RESTART, 0, FUTEX_WAIT_BITSET, 1000, 0);
	one("timed bitset, handler", 0, 0, FUTEX_WAIT_BITSET, 1000, 0);
	return 0;
}
