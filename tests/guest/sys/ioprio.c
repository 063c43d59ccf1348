/* I/O priorities. */
#include "tests/guest/show.h"
#include <sys/syscall.h>
#include <sys/wait.h>
#define SET(w, i, p) syscall(SYS_ioprio_set, w, i, p)
#define GET(w, i) syscall(SYS_ioprio_get, w, i)
int main(void)
{
	SHOW(SET(1, 0, 2 << 13 | 3));
	SHOW(GET(1, 0));
	SHOW(GET(1, getpid()));
	SHOW(SET(1, 0, 3 << 13));
	SHOW(GET(1, 0));
	SHOW(SET(1, 0, 5 << 13));
	SHOW(SET(9, 0, 2 << 13));
	SHOW(GET(9, 0));
	SHOW(GET(1, 1 << 28));
	fflush(stdout);
	if (fork() == 0) {
		SHOW(GET(1, 0));
		_exit(0);
	}
	wait(NULL);
	SHOW(SET(1, 0, 0));
	SHOW(GET(1, 0)); /* none, not what it amounts to */
	if (setresuid(1000, 1000, 1000))
		return 77;
	SHOW(SET(1, 0, 1 << 13 | 4));
	return 0;
}
