/* TCP_INFO and what goes with it on a connection. */
#include "net.h"

int main(void)
{
	struct tcp_info i;
	socklen_t len = sizeof(i);
	int s[2], l = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	char buf[100];

	SAY(getsockopt(l, SOL_TCP, TCP_INFO, &i, &len));
	printf("state %d\n", i.tcpi_state);
	close(l);
	l = listener(AF_INET, SOCK_STREAM);
	len = sizeof(i);
	SAY(getsockopt(l, SOL_TCP, TCP_INFO, &i, &len));
	printf("state %d\n", i.tcpi_state);
	tcp_pair(AF_INET, s);
	MUST(send(s[0], buf, 100, 0));
	MUST(recv(s[1], buf, 100, MSG_WAITALL));
	usleep(1000);
	len = sizeof(i);
	SAY(getsockopt(s[0], SOL_TCP, TCP_INFO, &i, &len) ? -1 : 0);
	printf("state %d options %s mss %s acked %s\n", i.tcpi_state, i.tcpi_options & TCPI_OPT_TIMESTAMPS ? "ts" : "none",
	       i.tcpi_snd_mss > 500 ? "large" : "small", i.tcpi_snd_cwnd > 0 ? "yes" : "no");
	len = sizeof(i);
	SAY(getsockopt(s[1], SOL_TCP, TCP_INFO, &i, &len) ? -1 : 0);
	printf("state %d\n", i.tcpi_state);
	printf("mss %s\n", get_int(s[0], SOL_TCP, TCP_MAXSEG) > 500 ? "large" : "small");
	printf("mtu %d\n", get_int(s[0], SOL_IP, IP_MTU));
	len = 8;
	SAY(getsockopt(s[0], SOL_TCP, TCP_INFO, &i, &len));
	printf("%u\n", len);
	MUST(shutdown(s[0], SHUT_WR));
	usleep(150000);
	len = sizeof(i);
	getsockopt(s[0], SOL_TCP, TCP_INFO, &i, &len);
	printf("after FIN: %d", i.tcpi_state);
	len = sizeof(i);
	getsockopt(s[1], SOL_TCP, TCP_INFO, &i, &len);
	printf(" and %d\n", i.tcpi_state);
	return 0;
}
