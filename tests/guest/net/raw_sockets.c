/* Raw, ping and packet sockets over the loopback interface. */
#include "net.h"
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

static uint16_t sum(const void *p, size_t n)
{
	const uint16_t *w = p;
	uint32_t s = 0;

	for (; n > 1; n -= 2)
		s += *w++;
	s = (s >> 16) + (s & 0xffff);
	return (uint16_t)~(s + (s >> 16));
}

int main(void)
{
	struct sockaddr_in a = v4("127.0.0.1", 0), from;
	struct sockaddr_in6 b = v6("::1", 0);
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
	struct {
		struct icmphdr h;
		char text[8];
	} echo = {.h = {.type = ICMP_ECHO, .un.echo = {.id = htons(77), .sequence = htons(3)}}, .text = "payload"};
	struct timeval tv = {1, 0};
	unsigned char buf[256];
	socklen_t len = sizeof(from);
	int s, n, found = 0;

	if (getuid())
		return 77;
	echo.h.checksum = sum(&echo, sizeof(echo));
	s = SAY_FD(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	SAY(sendto(s, &echo, sizeof(echo), 0, (void *)&a, sizeof(a)));
	for (int i = 0; i < 3 && !found; i++) {
		n = (int)recvfrom(s, buf, sizeof(buf), 0, (void *)&from, &len);
		struct iphdr *ip = (void *)buf;
		struct icmphdr *h = (void *)(buf + ip->ihl * 4);

		if (n > 0 && h->type == ICMP_ECHOREPLY && h->un.echo.id == htons(77)) {
			printf("reply of %d bytes from %s port %d ttl %d: %s\n", n, inet_ntoa(from.sin_addr), from.sin_port,
			       ip->ttl, (char *)(h + 1));
			found = 1;
		}
	}
	SAY(getsockname(s, (void *)&from, &len));
	close(s);
	SAY_FD(socket(AF_INET, SOCK_RAW, 0));
	s = SAY_FD(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	struct {
		struct icmp6_hdr h;
		char text[8];
	} echo6 = {.h = {.icmp6_type = ICMP6_ECHO_REQUEST}, .text = "six"};
	echo6.h.icmp6_id = htons(78);
	SAY(sendto(s, &echo6, sizeof(echo6), 0, (void *)&b, sizeof(b)));
	found = 0;
	for (int i = 0; i < 3 && !found; i++) {
		struct icmp6_hdr *h = (void *)buf;

		n = (int)recv(s, buf, sizeof(buf), 0);
		if (n > 0 && h->icmp6_type == ICMP6_ECHO_REPLY && h->icmp6_id == htons(78)) {
			printf("reply of %d bytes: %s\n", n, (char *)(h + 1));
			found = 1;
		}
	}
	close(s);
	s = SAY_FD(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)));
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	ll.sll_ifindex = (int)if_nametoindex("lo");
	SAY(bind(s, (void *)&ll, sizeof(ll)));
	int u = listener(AF_INET, SOCK_DGRAM), v = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	a.sin_port = htons((uint16_t)port_of(u));
	MUST(sendto(v, "seen", 4, 0, (void *)&a, sizeof(a)));
	found = 0;
	for (int i = 0; i < 10 && found < 2; i++) {
		len = sizeof(ll);
		n = (int)recvfrom(s, buf, sizeof(buf), 0, (void *)&ll, &len);
		if (n == 32 && !memcmp(buf + 28, "seen", 4)) {
			printf("packet of %d bytes type %d protocol %x if %d\n", n, ll.sll_pkttype, ntohs(ll.sll_protocol),
			       ll.sll_ifindex);
			found++;
		}
	}
	return 0;
}
