/* poll and select are woken by what another process does. */
#include "../say.h"
#include <poll.h>
#include <sys/select.h>
int main(void)
{
	struct pollfd pfd[2];
	int a[2], b[2], n;
	fd_set r, w;
	char c;

	MUST(pipe(a));
	MUST(pipe(b));
	fflush(stdout);
	if (!MUST(fork())) {
		sleep_ms(30);
		write(a[1], "1", 1);
		read(b[0], &c, 1);
		sleep_ms(30);
		write(a[1], "2", 1);
		read(b[0], &c, 1);
		sleep_ms(30);
		_exit(0);
	}
	close(a[1]);
	close(b[0]);
	pfd[0] = (struct pollfd){a[0], POLLIN, 0};
	pfd[1] = (struct pollfd){b[1], 0, 0};
	n = poll(pfd, 2, 5000);
	printf("%d %x %x\n", n, pfd[0].revents, pfd[1].revents);
	MUST(read(a[0], &c, 1));
	MUST(write(b[1], "k", 1));
	FD_ZERO(&r);
	FD_SET(a[0], &r);
	n = select(a[0] + 1, &r, NULL, NULL, NULL);
	printf("%d %d\n", n, FD_ISSET(a[0], &r));
	MUST(read(a[0], &c, 1));
	MUST(write(b[1], "k", 1));
	n = poll(pfd, 2, 5000);
	printf("%d %x\n", n, pfd[0].revents);
	wait(NULL);
	FD_ZERO(&w);
	FD_SET(b[1], &w);
	n = select(b[1] + 1, &r, &w, NULL, NULL);
	printf("%d %d %d\n", n, FD_ISSET(a[0], &r), FD_ISSET(b[1], &w));
	return 0;
}
