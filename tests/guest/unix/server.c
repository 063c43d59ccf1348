/* A server with several clients: blocking accept, names of peers, a backlog that fills. */
#include "../say.h"
#include <sys/socket.h>
#include <sys/un.h>
int main(void)
{
	char dir[] = "/tmp/unixXXXXXX", buf[64];
	struct sockaddr_un a = {.sun_family = AF_UNIX}, from;
	int l, c, n = 0, status, sum = 0;
	socklen_t len;

	if (!mkdtemp(dir))
		return 1;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/s", dir);
	l = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(l, (void *)&a, sizeof(a)));
	MUST(listen(l, 2));
	for (int i = 0; i < 8; i++) {
		if (!MUST(fork())) {
			c = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
			if (i & 1) {
				from = a;
				snprintf(from.sun_path, sizeof(from.sun_path), "%s/c%d", dir, i);
				MUST(bind(c, (void *)&from, sizeof(from)));
			}
			MUST(connect(c, (void *)&a, sizeof(a)));
			n = snprintf(buf, sizeof(buf), "%d", i);
			MUST(write(c, buf, n));
			n = MUST(read(c, buf, sizeof(buf)));
			_exit(n == 3 && !memcmp(buf, "bye", 3) ? 0 : 1);
		}
	}
	for (int i = 0; i < 8; i++) {
		len = sizeof(from);
		c = MUST(accept(l, (void *)&from, &len));
		n = MUST(read(c, buf, sizeof(buf)));
		buf[n] = 0;
		sum += 1 << atoi(buf);
		if (atoi(buf) & 1) {
			char *slash = strrchr(from.sun_path, '/');

			if (!slash || atoi(slash + 2) != atoi(buf))
				printf("wrong name\n");
			unlink(from.sun_path);
		} else if (len != 2)
			printf("len %u\n", len);
		MUST(write(c, "bye", 3));
		close(c);
	}
	printf("%x\n", sum);
	for (int i = 0; i < 8; i++) {
		wait(&status);
		if (status)
			say_exit(status);
	}
	c = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	unlink(a.sun_path);
	SAY(connect(c, (void *)&a, sizeof(a)));
	MUST(close(MUST(open(a.sun_path, O_CREAT | O_RDWR, 0600))));
	SAY(connect(c, (void *)&a, sizeof(a)));
	unlink(a.sun_path);
	SAY(connect(c, (void *)&a, 2));
	rmdir(dir);
	return 0;
}
