/* personality: read, set, inherited by fork and exec. */
#include <stdio.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc > 1) {
		printf("after exec %#x\n", personality(0xffffffff));
		return 0;
	}
	(void)argv;
	printf("old %#x\n", personality(ADDR_NO_RANDOMIZE));
	printf("now %#x\n", personality(0xffffffff));
	fflush(stdout);
	if (!fork()) {
		execl("/proc/self/exe", "x", "y", NULL);
		_exit(1);
	}
	wait(NULL);
	return 0;
}
