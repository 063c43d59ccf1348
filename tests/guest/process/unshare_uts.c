/* A UTS namespace of one's own: the name inside does not show outside. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	char before[65], after[65];

	gethostname(before, sizeof(before));
	if (unshare(CLONE_NEWUTS) < 0) {
		fprintf(stderr, "unshare: %s\n", strerror(errno));
		return 77;
	}
	if (!fork()) {
		unshare(CLONE_NEWUTS);
		printf("set %d\n", sethostname("inner", 5));
		gethostname(after, sizeof(after));
		printf("inside %s\n", after);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	gethostname(after, sizeof(after));
	printf("outside unchanged %d\n", !strcmp(before, after));
	{
		long r_ = unshare(1);

		printf("bad flag %d %s\n", (int)r_, strerror(errno));
	}
	return 0;
}
