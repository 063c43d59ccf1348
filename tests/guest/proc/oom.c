/* oom_score_adj and oom_adj. */
#include "tests/guest/proc/util.h"
#include <sys/wait.h>
static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	long n = write(fd, text, strlen(text));

	printf("%s <- %s: %ld %s\n", strrchr(path, '/'), text, n, n < 0 ? strerrorname_np(errno) : "");
	close(fd);
}
static void get(const char *path)
{
	char buf[64];

	slurp(path, buf, sizeof(buf));
	printf("%s: %s", strrchr(path, '/'), buf);
	fflush(stdout);
}
int main(void)
{
	char buf[64];

	put("/proc/self/oom_score_adj", "500");
	get("/proc/self/oom_score_adj");
	put("/proc/self/oom_score_adj", "1001");
	put("/proc/self/oom_score_adj", "x");
	put("/proc/self/oom_adj", "15");
	get("/proc/self/oom_score_adj");
	get("/proc/self/oom_adj");
	CHECK(slurp("/proc/self/oom_score", buf, sizeof(buf)) > 0 && atoi(buf) > 0);
	fflush(stdout);
	if (!fork()) {
		get("/proc/self/oom_score_adj");
		_exit(0);
	}
	wait(NULL);
	return 0;
}
