/* Calls that a signal interrupts, and those that go on. */
#include "net.h"

static void on_alarm(int signo)
{
	(void)signo;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	struct timeval tv = {2, 0};
	static char big[1 << 20];
	int l = listener(AF_INET, SOCK_STREAM), s[2], u = listener(AF_INET, SOCK_DGRAM), n;
	char buf[16];

	sigaction(SIGALRM, &sa, NULL);
	tcp_pair(AF_INET, s);
	ualarm(20000, 0);
	SAY(accept(l, NULL, NULL));
	ualarm(20000, 0);
	SAY(recv(s[0], buf, 16, 0));
	ualarm(20000, 0);
	SAY(recv(u, buf, 16, 0));
	while (send(s[0], big, sizeof(big), MSG_DONTWAIT) > 0)
		;
	ualarm(20000, 0);
	n = (int)send(s[0], big, sizeof(big), 0);
	printf("%s\n", n > 0 || errno == EINTR ? "interrupted" : "failed");
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	close(s[0]);
	close(s[1]);
	tcp_pair(AF_INET, s);
	if (!fork()) {
		usleep(80000);
		send(s[0], "late", 4, 0);
		_exit(0);
	}
	ualarm(20000, 0);
	SAY(recv(s[1], buf, 16, 0));
	setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	ualarm(20000, 0);
	SAY(recv(s[1], buf, 16, 0)); /* with a timeout: not restarted */
	while (wait(NULL) > 0)
		;
	return 0;
}
