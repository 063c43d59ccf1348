/* prctl: names, dumpable, timer slack, no_new_privs, subreaper, errors. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	char name[17] = {0};
	int v = -1;

	prctl(PR_SET_NAME, "a name that is too long", 0, 0, 0);
	prctl(PR_GET_NAME, name, 0, 0, 0);
	printf("name '%s'\n", name);
	printf("dumpable %d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	printf("set 0 %d\n", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	printf("dumpable %d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	{
		long r_ = prctl(PR_SET_DUMPABLE, 2, 0, 0, 0);

		printf("set 2 %d %s\n", (int)r_, strerror(errno));
	}
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	prctl(PR_SET_TIMERSLACK, 1234, 0, 0, 0);
	printf("slack %d\n", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	prctl(PR_GET_PDEATHSIG, &v, 0, 0, 0);
	printf("pdeathsig %d\n", v);
	{
		long r_ = prctl(PR_SET_PDEATHSIG, 100, 0, 0, 0);

		printf("bad pdeathsig %d %s\n", (int)r_, strerror(errno));
	}
	prctl(PR_GET_CHILD_SUBREAPER, &v, 0, 0, 0);
	printf("subreaper %d\n", v);
	printf("nnp %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	{
		long r_ = prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);

		printf("nnp bad %d %s\n", (int)r_, strerror(errno));
	}
	printf("nnp set %d\n", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	fflush(stdout);
	if (!fork()) {
		printf("nnp inherited %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	printf("seccomp %d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	{
		long r_ = prctl(99999, 0, 0, 0, 0);

		printf("unknown %d %s\n", (int)r_, strerror(errno));
	}
	return 0;
}
