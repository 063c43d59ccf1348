/* Group ids and supplementary groups. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	gid_t set[] = {30, 10, 20}, got[16], a, b, c;
	int n;

	if (getuid())
		return 77;
	printf("setgroups %d\n", setgroups(3, set));
	n = getgroups(16, got);
	printf("count %d", n);
	for (int i = 0; i < n; i++)
		printf(" %u", got[i]);
	printf("\n");
	{
		long r_ = getgroups(2, got);

		printf("small buffer: %d %s\n", (int)r_, strerror(errno));
	}
	printf("only count: %d\n", getgroups(0, NULL));
	printf("setresgid %d\n", setresgid(1, 2, 3));
	getresgid(&a, &b, &c);
	printf("%u %u %u\n", a, b, c);
	fflush(stdout);
	if (!fork()) {
		setuid(1000);
		{
			long r_ = setgid(55);

			printf("setgid foreign: %d %s\n", (int)r_, strerror(errno));
		}
		printf("setgid own: %d\n", setgid(3));
		{
			long r_ = setgroups(1, set);

			printf("setgroups: %d %s\n", (int)r_, strerror(errno));
		}
		printf("groups kept: %d\n", getgroups(16, got));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	printf("none: %d %d\n", setgroups(0, NULL), getgroups(16, got));
	return 0;
}
