/* oom_score_adj and oom_adj, and how far they may be lowered without CAP_SYS_RESOURCE. */
#include "tests/guest/proc/util.h"
#include <linux/capability.h>
#include <sys/syscall.h>
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
static void drop_cap_sys_resource(void)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];

	CHECK(syscall(SYS_capget, &h, d) == 0);
	d[0].effective &= ~(1u << CAP_SYS_RESOURCE);
	CHECK(syscall(SYS_capset, &h, d) == 0);
}
int main(void)
{
	char buf[64];

	drop_cap_sys_resource();
	put("/proc/self/oom_score_adj", "500");
	get("/proc/self/oom_score_adj");
	put("/proc/self/oom_score_adj", "1001");
	put("/proc/self/oom_score_adj", "x");
	put("/proc/self/oom_adj", "15");
	get("/proc/self/oom_score_adj");
	get("/proc/self/oom_adj");
	put("/proc/self/oom_adj", "5");
	put("/proc/self/oom_score_adj", "700");
	get("/proc/self/oom_score_adj");
	put("/proc/self/oom_score_adj", "-1000");
	CHECK(slurp("/proc/self/oom_score", buf, sizeof(buf)) > 0 && atoi(buf) > 0);
	fflush(stdout);
	if (!fork()) {
		get("/proc/self/oom_score_adj");
		_exit(0);
	}
	wait(NULL);
	return 0;
}
