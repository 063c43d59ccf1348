/* SO_ATTACH_FILTER: which instructions there are, also those with a bit too many, and what filters let through. */
#include <linux/filter.h>

#include "net.h"

#define S(code, k) {(code), 0, 0, (k)}

static int attach(int s, const struct sock_filter *f, unsigned count)
{
	struct sock_fprog p = {(unsigned short)count, (struct sock_filter *)f};

	return setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p));
}

/* Every code there can be, with an operand, behind a store to that cell of the memory. */
static void codes(int s, unsigned k)
{
	unsigned count = 0;

	printf("with %u:", k);
	for (unsigned code = 0; code < 0x10000; code++) {
		const struct sock_filter f[] = {
			S(BPF_ST, k < BPF_MEMWORDS ? k : 0), S((unsigned short)code, k), S(BPF_RET | BPF_K, 0xffff),
		};

		if (attach(s, f, 3))
			continue;
		if (count++ < 100)
			printf(" %x", code);
	}
	printf(", %u in all\n", count);
}

/* A cell that was never stored on one of the ways to its load, and facts about a datagram that there are not. */
static void refused(int s)
{
	const struct sock_filter unset[] = {S(BPF_LD | BPF_MEM, 1), S(BPF_RET | BPF_A, 0)},
				 one_way[] = {{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0}, S(BPF_ST, 1),
					      S(BPF_LD | BPF_MEM, 1), S(BPF_RET | BPF_A, 0)},
				 no_return[] = {S(BPF_RET | BPF_K, 0), S(BPF_LD | BPF_IMM, 1)};
	const unsigned facts[] = {0, 1, 28, 60, 64, 4095};

	SAY(attach(s, unset, 2));
	SAY(attach(s, one_way, 4));
	SAY(attach(s, no_return, 2));
	for (unsigned i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		const struct sock_filter fact[] = {S(BPF_LD | BPF_W | BPF_ABS, (unsigned)SKF_AD_OFF + facts[i]),
						   S(BPF_RET | BPF_A, 0)};

		SAY(attach(s, fact, 2));
	}
}

static void passes(int from, int to, const char *what, const struct sock_filter *f, unsigned count)
{
	char buf[16] = "";
	long n;

	printf("%s: %d", what, attach(to, f, count));
	MUST(send(from, "abcdef", 6, 0));
	n = recv(to, buf, sizeof(buf), 0);
	printf(", %ld %s\n", n, n > 0 ? buf : "nothing");
}

int main(void)
{
	const struct sock_filter all[] = {S(BPF_RET | BPF_K, 0xffffffff)}, none[] = {S(BPF_RET | BPF_K, 0)},
				 cut[] = {S(BPF_RET | BPF_K, 11)},
				 memory[] = {S(BPF_LD | BPF_IMM, 10), S(BPF_ST, 15), S(BPF_LD | BPF_IMM, 0),
					     S(BPF_LDX | BPF_MEM, 15), S(BPF_MISC | BPF_TXA, 0), S(BPF_RET | BPF_A, 0)},
				 far[] = {S(BPF_LD | BPF_W | BPF_ABS, 11), S(BPF_RET | BPF_K, 0xffff)},
				 letter[] = {S(BPF_LD | BPF_B | BPF_ABS, 8), {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 'a'},
					     S(BPF_RET | BPF_K, 0xffff), S(BPF_RET | BPF_K, 0)};
	int r = listener(AF_INET, SOCK_DGRAM), s = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	const struct timeval wait = {.tv_usec = 300000};
	struct sockaddr_in to = v4("127.0.0.1", port_of(r));

	MUST(connect(s, (void *)&to, sizeof(to)));
	MUST(setsockopt(r, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)));
	refused(r);
	codes(r, 3);
	codes(r, 20);
	codes(r, 1000000);
	codes(r, 0x3fffffff);
	passes(s, r, "all", all, 1);
	passes(s, r, "none", none, 1);
	passes(s, r, "cut", cut, 1);
	passes(s, r, "memory", memory, 6);
	passes(s, r, "beyond the end", far, 2);
	passes(s, r, "by a letter", letter, 4);
	SAY(attach(r, all, 0));
	SAY(setsockopt(r, SOL_SOCKET, SO_DETACH_FILTER, NULL, 0));
	return 0;
}
