/* Futex waits that signals end, restart, or leave alone. What ended a wait is told by what had been done when it returned,
 * not by the time it took: the second thread goes on only when the first has returned or sleeps again. */
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include "tests/guest/show.h"

enum { NOTHING, FIRST, SECOND, WAKE, STAGES };
static int word = 1;
static volatile int hits, ignored, waits, back, stage;
static pthread_t main_thread;
static char stat_path[64];

static void on_usr1(int signo)
{
	hits++;
}

static int main_sleeps(void)
{
	char buf[512] = "", *p;
	FILE *f = fopen(stat_path, "r");

	if (!f)
		return 0;
	fgets(buf, sizeof(buf), f);
	fclose(f);
	p = strrchr(buf, ')');
	return p && p[1] && p[2] == 'S';
}

/* Until main has taken `signals` of them and is back, or sleeps in its wait. */
static void settle(int signals)
{
	while (!waits || (!ignored && hits < signals))
		usleep(1000);
	for (int still = 0; !back && still < 3; still = main_sleeps() ? still + 1 : 0)
		usleep(2000);
}

static void *later(void *wake)
{
	settle(0);
	stage = FIRST;
	pthread_kill(main_thread, SIGUSR1);
	settle(1);
	stage = SECOND;
	pthread_kill(main_thread, SIGUSR1);
	settle(2);
	if (wake) {
		stage = WAKE;
		word = 2;
		syscall(SYS_futex, &word, FUTEX_WAKE, 1);
	}
	return NULL;
}

static void one(const char *what, int flags, int ignore, int op, long ms, int wake)
{
	static const char *const after[STAGES] = {"nothing", "the first", "the second", "the wake"};
	struct sigaction sa = {.sa_handler = on_usr1, .sa_flags = flags};
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000}, *tp = ms ? &ts : NULL;
	pthread_t t;
	long r;
	int at;

	if (ignore)
		sa.sa_handler = SIG_IGN;
	if ((op & 127) == FUTEX_WAIT_BITSET && ms) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		ts.tv_sec += ms / 1000;
	}
	hits = waits = back = stage = 0;
	ignored = ignore;
	word = 1;
	sigaction(SIGUSR1, &sa, NULL);
	pthread_create(&t, NULL, later, (void *)(long)wake);
	errno = 0;
	waits = 1;
	r = syscall(SYS_futex, &word, op, 1, tp, NULL, -1);
	at = stage;
	back = 1;
	printf("%s: %ld %s after %s\n", what, r, r < 0 ? strerrorname_np(errno) : "",
	       r < 0 && errno == ETIMEDOUT ? "the time" : after[at]);
	pthread_join(t, NULL);
	printf("  hits %d\n", hits);
}

int main(void)
{
	main_thread = pthread_self();
	snprintf(stat_path, sizeof(stat_path), "/proc/self/task/%d/stat", (int)getpid());
	one("wait, handler", 0, 0, FUTEX_WAIT, 0, 1);
	one("wait, restarting handler", SA_RESTART, 0, FUTEX_WAIT, 0, 1);
	one("timed wait, handler", 0, 0, FUTEX_WAIT, 60000, 0);
	one("timed wait, restarting handler", SA_RESTART, 0, FUTEX_WAIT, 60000, 0);
	one("timed wait, ignored", 0, 1, FUTEX_WAIT, 500, 0);
	one("wait, ignored", 0, 1, FUTEX_WAIT, 0, 1);
	one("private wait, handler", 0, 0, FUTEX_WAIT_PRIVATE, 0, 0);
	one("bitset, restarting handler", SA_RESTART, 0, FUTEX_WAIT_BITSET, 0, 1);
	one("timed bitset, restarting handler", SA_RESTART, 0, FUTEX_WAIT_BITSET, 60000, 0);
	one("timed bitset, handler", 0, 0, FUTEX_WAIT_BITSET, 60000, 0);
	return 0;
}
