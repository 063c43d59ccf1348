/* System V message queues: types, sizes, blocking, removal. */
#include "tests/guest/show.h"
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/time.h>
#include <sys/wait.h>
#define KEY 0x5b0a1103
struct m {
	long type;
	char text[64];
};
static void send_msg(int id, long type, const char *s)
{
	struct m m = {.type = type};

	strcpy(m.text, s);
	if (msgsnd(id, &m, strlen(s), IPC_NOWAIT))
		printf("send: %s\n", strerrorname_np(errno));
}
static void recv_msg(int id, size_t max, long type, int flags)
{
	struct m m = {0};
	long n = msgrcv(id, &m, max, type, flags | IPC_NOWAIT);

	if (n < 0)
		printf("type %ld: %s\n", type, strerrorname_np(errno));
	else
		printf("type %ld: %ld %ld %.*s\n", type, n, m.type, (int)n, m.text);
}
static void h(int s)
{
	(void)s;
}
int main(void)
{
	struct itimerval it = {{0, 0}, {0, 50000}};
	struct msqid_ds ds;
	struct m m = {.type = 0};
	int id, st;

	msgctl(msgget(KEY, 0), IPC_RMID, NULL);
	SHOW(msgget(KEY, 0));
	id = msgget(KEY, IPC_CREAT | 0600);
	SHOW(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600));
	SHOW(msgsnd(id, &m, 1, 0));
	m.type = 1;
	SHOW(msgsnd(id, &m, 100000, 0));
	SHOW(msgsnd(id, &m, (size_t)-1, 0));
	send_msg(id, 3, "three");
	send_msg(id, 1, "one");
	send_msg(id, 2, "two");
	send_msg(id, 1, "uno");
	SHOW(msgctl(id, IPC_STAT, &ds));
	printf("%lu messages, %lu bytes of %lu\n", (long)ds.msg_qnum, (long)ds.__msg_cbytes, (long)ds.msg_qbytes);
	CHECK(ds.msg_lspid == getpid());
	recv_msg(id, 64, 1, 0);
	recv_msg(id, 64, -2, 0);
	recv_msg(id, 64, -2, 0);
	recv_msg(id, 64, 9, 0);
	recv_msg(id, 2, 0, 0);
	recv_msg(id, 64, 3, MSG_EXCEPT);
	recv_msg(id, 2, 0, MSG_NOERROR);
	recv_msg(id, 64, 0, 0);
	send_msg(id, 5, "");
	recv_msg(id, 64, 0, 0);
	memset(m.text, 'x', sizeof(m.text));
	ds.msg_qbytes = 100;
	SHOW(msgctl(id, IPC_SET, &ds));
	SHOW(msgsnd(id, &m, 64, IPC_NOWAIT));
	SHOW(msgsnd(id, &m, 64, IPC_NOWAIT));
	fflush(stdout);
	if (!fork())
		_exit(msgsnd(id, &m, 64, 0) ? 1 : 0);
	usleep(50000);
	SHOW(msgrcv(id, &m, 64, 0, 0));
	wait(&st);
	printf("sent %d\n", WEXITSTATUS(st));
	recv_msg(id, 10, 0, MSG_NOERROR);
	signal(SIGALRM, h);
	setitimer(ITIMER_REAL, &it, NULL);
	SHOW(msgrcv(id, &m, 64, 0, 0));
	if (!fork()) {
		long r = msgrcv(id, &m, 64, 0, 0);
		_exit(r == -1 && errno == EIDRM ? 9 : 1);
	}
	usleep(50000);
	SHOW(msgctl(id, IPC_RMID, NULL));
	wait(&st);
	printf("%d\n", WEXITSTATUS(st));
	SHOW(msgsnd(id, &m, 1, 0));
	return 0;
}
