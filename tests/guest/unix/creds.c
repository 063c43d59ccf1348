/* SO_PASSCRED, SCM_CREDENTIALS, SO_PEERCRED, SO_PEERGROUPS. */
#include "../say.h"
#include <sys/socket.h>
#include <sys/un.h>
static void show(int s)
{
	char c[128], buf[32];
	struct iovec iov = {buf, 32};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c, .msg_controllen = 128};
	int n = (int)recvmsg(s, &m, 0);
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	struct ucred u;

	if (n < 0) {
		printf("%s\n", strerrorname_np(errno));
		return;
	}
	printf("%.*s", n, buf);
	if (h && h->cmsg_type == SCM_CREDENTIALS) {
		memcpy(&u, CMSG_DATA(h), sizeof(u));
		printf(" pid %s uid %s gid %s", u.pid == getpid() ? "me" : u.pid ? "other" : "0",
		       u.uid == getuid() ? "mine" : "other", u.gid == getgid() ? "mine" : "other");
	}
	printf(" flags %x\n", m.msg_flags);
}
static int send_cred(int s, pid_t pid, uid_t uid, gid_t gid)
{
	char c[CMSG_SPACE(sizeof(struct ucred))] = {0};
	struct iovec iov = {"cred", 4};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c, .msg_controllen = sizeof(c)};
	struct cmsghdr *h = (void *)c;
	struct ucred u = {pid, uid, gid};

	h->cmsg_len = CMSG_LEN(sizeof(u));
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_CREDENTIALS;
	memcpy(CMSG_DATA(h), &u, sizeof(u));
	return (int)sendmsg(s, &m, MSG_NOSIGNAL);
}
int main(void)
{
	int s[2], on = 1, l, c, d;
	struct ucred u;
	socklen_t len = sizeof(u);
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (MUST(fork())) { /* so that 1 is somebody else */
		wait(NULL);
		return 0;
	}
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	MUST(send(s[0], "before", 6, 0));
	SAY(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, 4));
	show(s[1]);
	MUST(send(s[0], "after", 5, 0));
	show(s[1]);
	SAY(send_cred(s[0], getpid(), getuid(), getgid()));
	show(s[1]);
	SAY(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &u, &len));
	printf("%d %d %d %u\n", u.pid == getpid(), u.uid == geteuid(), u.gid == getegid(), len);
	fflush(stdout);
	if (!MUST(fork())) {
		send(s[0], "child", 5, 0);
		_exit(0);
	}
	wait(NULL);
	show(s[1]);
	c = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	SAY(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &u, &len));
	printf("%d %d %d\n", u.pid, u.uid, u.gid);
	len = 3 + snprintf(a.sun_path + 1, 100, "sbx-cred-%d", getpid());
	l = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(l, (void *)&a, len));
	MUST(listen(l, 1));
	setsockopt(l, SOL_SOCKET, SO_PASSCRED, &on, 4);
	MUST(connect(c, (void *)&a, len));
	MUST(write(c, "early", 5));
	d = MUST(accept(l, NULL, NULL));
	len = sizeof(u);
	SAY(getsockopt(d, SOL_SOCKET, SO_PEERCRED, &u, &len));
	printf("%d\n", u.pid == getpid());
	MUST(getsockopt(d, SOL_SOCKET, SO_PASSCRED, &on, &len));
	printf("passcred %d\n", on);
	on = 1;
	setsockopt(d, SOL_SOCKET, SO_PASSCRED, &on, 4);
	show(d);
	if (getuid() == 0) {
		SAY(send_cred(c, 1, 12, 34));
		show(d);
		fflush(stdout);
		if (!MUST(fork())) {
			MUST(setresgid(5, 5, 5));
			MUST(setresuid(5, 5, 5));
			SAY(send_cred(c, getpid(), 0, 5));
			SAY(send_cred(c, getpid(), 5, 0));
			SAY(send_cred(c, 1, 5, 5));
			SAY(send_cred(c, getpid(), 5, 5));
			fflush(stdout);
			_exit(0);
		}
		wait(NULL);
		show(d);
	}
	return 0;
}
