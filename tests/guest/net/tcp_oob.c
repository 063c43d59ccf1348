/* Urgent data: MSG_OOB, SIOCATMARK, SIGURG, SO_OOBINLINE, select's exceptions. */
#include "net.h"
#include <sys/select.h>

static volatile int urgent;
static void on_urgent(int signo)
{
	(void)signo;
	urgent++;
}

int main(void)
{
	struct timeval tv = {0, 0};
	int s[2], mark;
	char buf[64];
	fd_set set;

	signal(SIGURG, on_urgent);
	tcp_pair(AF_INET, s);
	SAY(fcntl(s[1], F_SETOWN, getpid()));
	SAY(recv(s[1], buf, 1, MSG_OOB));
	MUST(send(s[0], "abc", 3, 0));
	SAY(send(s[0], "X", 1, MSG_OOB));
	MUST(send(s[0], "def", 3, 0));
	wait_poll("urgent", s[1], POLLPRI);
	usleep(20000);
	printf("signals %d\n", urgent);
	FD_ZERO(&set);
	FD_SET(s[1], &set);
	SAY(select(s[1] + 1, NULL, NULL, &set, &tv));
	SAY(ioctl(s[1], SIOCATMARK, &mark));
	printf("mark %d\n", mark);
	SAY(ioctl(s[1], FIONREAD, &mark));
	SAY(recv(s[1], buf, 64, 0));
	printf("%.3s\n", buf);
	ioctl(s[1], SIOCATMARK, &mark);
	printf("mark %d\n", mark);
	SAY(recv(s[1], buf, 64, MSG_OOB | MSG_PEEK));
	SAY(recv(s[1], buf, 64, MSG_OOB));
	printf("%c\n", buf[0]);
	SAY(recv(s[1], buf, 64, MSG_OOB));
	show_poll("read", s[1]);
	SAY(recv(s[1], buf, 64, 0));
	printf("%.3s\n", buf);
	ioctl(s[1], SIOCATMARK, &mark);
	printf("mark %d\n", mark);
	puts("inline");
	SAY(set_int(s[1], SOL_SOCKET, SO_OOBINLINE, 1));
	MUST(send(s[0], "12", 2, 0));
	MUST(send(s[0], "3", 1, MSG_OOB));
	MUST(send(s[0], "45", 2, 0));
	wait_poll("urgent", s[1], POLLPRI);
	usleep(20000);
	SAY(recv(s[1], buf, 64, MSG_OOB));
	SAY(recv(s[1], buf, 64, 0));
	SAY(recv(s[1], buf, 64, 0));
	printf("%.3s\n", buf);
	return 0;
}
