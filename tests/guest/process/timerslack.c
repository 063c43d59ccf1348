/* PR_SET_TIMERSLACK: 0 brings back what the creator had; /proc says the same. */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *what)
{
	long from_proc = -1;
	FILE *f = fopen("/proc/self/timerslack_ns", "r");

	if (f) {
		(void)!fscanf(f, "%ld", &from_proc);
		fclose(f);
	}
	printf("%s %d %ld\n", what, prctl(PR_GET_TIMERSLACK), from_proc);
	fflush(stdout);
}

int main(void)
{
	prctl(PR_SET_TIMERSLACK, 70000);
	show("parent");
	if (!fork()) {
		show("child");
		prctl(PR_SET_TIMERSLACK, 1);
		show("set");
		prctl(PR_SET_TIMERSLACK, 0);
		show("default");
		_exit(0);
	}
	wait(NULL);
	return 0;
}
