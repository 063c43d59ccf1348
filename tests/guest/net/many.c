/* Many connections open at once, then many in a row. */
#include "net.h"
#include <sys/resource.h>

#define COUNT 400

int main(void)
{
	struct rlimit lim = {2048, 4096};
	static int c[COUNT], d[COUNT];
	int l = (int)MUST(socket(AF_INET, SOCK_STREAM, 0)), ok = 0;
	struct sockaddr_in a = v4("127.0.0.1", 0);
	char buf[8];

	setrlimit(RLIMIT_NOFILE, &lim);
	MUST(bind(l, (void *)&a, sizeof(a)));
	MUST(listen(l, COUNT));
	for (int i = 0; i < COUNT; i++)
		c[i] = connect_to(AF_INET, port_of(l));
	for (int i = 0; i < COUNT; i++)
		d[i] = (int)MUST(accept(l, NULL, NULL));
	for (int i = 0; i < COUNT; i++)
		MUST(send(c[i], &i, sizeof(i), 0));
	for (int i = 0; i < COUNT; i++) {
		int v = -1;

		MUST(recv(d[i], &v, sizeof(v), 0));
		ok += v == i;
	}
	printf("%d right\n", ok);
	for (int i = 0; i < COUNT; i++) {
		close(i & 1 ? c[i] : d[i]);
		ok -= recv(i & 1 ? d[i] : c[i], buf, 8, 0) == 0;
		close(i & 1 ? d[i] : c[i]);
	}
	printf("%d left\n", ok);
	for (int i = 0; i < 1000; i++) {
		int x = connect_to(AF_INET, port_of(l)), y = (int)MUST(accept(l, NULL, NULL));

		MUST(send(x, "hi", 2, 0));
		ok += recv(y, buf, 8, 0) == 2;
		close(x);
		close(y);
	}
	printf("%d in a row\n", ok);
	return 0;
}
