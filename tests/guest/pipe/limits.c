/* What an ordinary user may take: pages of pipes, descriptors. */
#include "../say.h"
#include <sys/resource.h>
int main(void)
{
	struct rlimit rl = {5000, 5000};
	int p[2], first = 0, last = 0, count = 0;

	if (getuid() == 0) {
		setrlimit(RLIMIT_NOFILE, &rl);
		getrlimit(RLIMIT_NOFILE, &rl);
		MUST(setresgid(12345, 12345, 12345));
		MUST(setresuid(12345, 12345, 12345));
	} else {
		return 77;
	}
	for (; count < 1500; count++) {
		if (pipe(p) < 0)
			break;
		if (!count)
			first = fcntl(p[0], F_GETPIPE_SZ);
		last = fcntl(p[0], F_GETPIPE_SZ);
	}
	printf("%d pipes, first %d, last %d\n", count, first, last);
	SAY(fcntl(p[0], F_SETPIPE_SZ, 65536));
	SAY(fcntl(p[0], F_SETPIPE_SZ, 4096));
	SAY(fcntl(p[0], F_SETPIPE_SZ, 2 << 20));
	rl.rlim_cur = 100;
	setrlimit(RLIMIT_NOFILE, &rl);
	SAY(pipe(p));
	return 0;
}
