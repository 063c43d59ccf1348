/* SCM_RIGHTS: passing descriptors, truncation, peeking, limits, close on exec. */
#include "../say.h"
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
static int send_fds(int s, const int *fds, int n, const char *text)
{
	char c[CMSG_SPACE(300 * sizeof(int))] = {0};
	struct iovec iov = {(void *)text, strlen(text)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c,
			   .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *h = (void *)c;

	h->cmsg_len = CMSG_LEN(n * sizeof(int));
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(h), fds, n * sizeof(int));
	return (int)sendmsg(s, &m, 0);
}
static int got[300];
static int recv_fds(int s, int room, int flags, size_t bytes)
{
	char c[CMSG_SPACE(300 * sizeof(int))], buf[64];
	struct iovec iov = {buf, bytes};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room < 0 ? NULL : c,
			   .msg_controllen = room < 0 ? 0 : (size_t)room};
	int n = (int)recvmsg(s, &m, flags), count = 0;
	struct cmsghdr *h;

	if (n < 0) {
		printf("recvmsg: %s\n", strerrorname_np(errno));
		return 0;
	}
	h = CMSG_FIRSTHDR(&m);
	if (h && room > 0) {
		count = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(got, CMSG_DATA(h), (size_t)count * sizeof(int));
	}
	printf("%d bytes %.*s, %d fds, flags %x, controllen %zu\n", n, n, buf, count,
	       m.msg_flags & ~MSG_CMSG_CLOEXEC, m.msg_controllen);
	return count;
}
int main(void)
{
	int s[2], p[2], many[260], n;
	char buf[16];

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	MUST(pipe(p));
	SAY(send_fds(s[0], p, 2, "two"));
	n = recv_fds(s[1], CMSG_SPACE(8), 0, 64);
	MUST(write(got[1], "through", 7));
	SAY(read(p[0], buf, 16));
	printf("%d\n", fcntl(got[0], F_GETFD));
	close(got[0]);
	close(got[1]);
	SAY(send_fds(s[0], p, 2, "cut"));
	n = recv_fds(s[1], CMSG_LEN(4), MSG_CMSG_CLOEXEC, 64);
	printf("%d\n", fcntl(got[0], F_GETFD));
	close(got[0]);
	SAY(send_fds(s[0], p, 1, "none"));
	recv_fds(s[1], -1, 0, 64);
	SAY(send_fds(s[0], p, 1, "tiny"));
	recv_fds(s[1], 8, 0, 64);
	SAY(send_fds(s[0], p, 1, "peek"));
	if (recv_fds(s[1], 64, MSG_PEEK, 64))
		close(got[0]);
	if (recv_fds(s[1], 64, 0, 64))
		close(got[0]);
	/* descriptors hold back the bytes behind them */
	MUST(write(s[0], "aa", 2));
	send_fds(s[0], p, 1, "bb");
	MUST(write(s[0], "cc", 2));
	send_fds(s[0], p, 2, "dddd");
	recv_fds(s[1], 64, 0, 64);
	recv_fds(s[1], 64, 0, 4);
	recv_fds(s[1], 64, 0, 64);
	recv_fds(s[1], 64, 0, 64);
	n = 999;
	SAY(send_fds(s[0], &n, 1, "bad"));
	for (int i = 0; i < 260; i++)
		many[i] = p[0];
	SAY(send_fds(s[0], many, 254, "x"));
	SAY(send_fds(s[0], many, 253, "x"));
	recv_fds(s[1], CMSG_SPACE(253 * 4), 0, 64);
	for (int i = 0; i < 253; i++)
		close(got[i]);
	SAY(send_fds(s[0], s, 2, "selves"));
	close(s[0]);
	n = recv_fds(s[1], 64, 0, 64);
	MUST(write(got[0], "again", 5));
	SAY(read(got[1], buf, 16));
	/* an O_PATH descriptor travels too */
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	n = MUST(open("/", O_PATH));
	SAY(send_fds(s[0], &n, 1, "path"));
	n = recv_fds(s[1], 64, 0, 64);
	printf("%d\n", (fcntl(got[0], F_GETFL) & O_PATH) != 0);
	return 0;
}
