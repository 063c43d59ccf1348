/* A datagram is sent right before its socket is closed, and new sockets follow at once, many times: none is lost, and the
 * new ones are as good as the first. */
#include <pthread.h>

#include "net.h"

#define ROUNDS 400

static struct sockaddr_in to;

static void *peer(void *arg)
{
	int s = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	char buf[8];

	(void)arg;
	MUST(connect(s, (struct sockaddr *)&to, sizeof(to)));
	MUST(send(s, "ask", 3, 0));
	MUST(recv(s, buf, sizeof(buf), 0));
	MUST(send(s, "thanks", 6, 0));
	close(s);
	return NULL;
}

int main(void)
{
	long bytes = 0;

	alarm(60);
	for (int i = 0; i < ROUNDS; i++) {
		int s = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
		struct sockaddr_in from;
		socklen_t n = sizeof(to);
		pthread_t t;
		char buf[8];

		to = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		MUST(bind(s, (struct sockaddr *)&to, sizeof(to)));
		MUST(getsockname(s, (struct sockaddr *)&to, &n));
		if (pthread_create(&t, NULL, peer, NULL))
			return 1;
		n = sizeof(from);
		bytes += MUST(recvfrom(s, buf, sizeof(buf), 0, (struct sockaddr *)&from, &n));
		MUST(sendto(s, "answer", 6, 0, (struct sockaddr *)&from, n));
		bytes += MUST(recv(s, buf, sizeof(buf), 0));
		close(s);
		pthread_join(t, NULL);
	}
	printf("%d rounds, %ld bytes\n", ROUNDS, bytes);
	return 0;
}
