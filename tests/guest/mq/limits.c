/* RLIMIT_MSGQUEUE: a queue counts until its last descriptor is closed, whether or not it still has a name. */
#include "tests/guest/show.h"
#include <fcntl.h>
#include <mqueue.h>
#include <sys/resource.h>
#include <sys/wait.h>
#define UID 31337
#define MOST 64

static int open_many(mqd_t q[MOST])
{
	struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 8192};
	int n = 0;

	while (n < MOST) {
		q[n] = mq_open("/sbx-guest-mq-limits", O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
		if (q[n] < 0)
			break;
		mq_unlink("/sbx-guest-mq-limits");
		n++;
	}
	return n;
}

int main(void)
{
	struct rlimit r = {500000, 500000};
	int status;

	if (!fork()) {
		mqd_t q[MOST];
		int n;

		if (setresuid(UID, UID, UID) || setrlimit(RLIMIT_MSGQUEUE, &r))
			_exit(1);
		for (int round = 0; round < 2; round++) {
			n = open_many(q);
			printf("%d queues, then %s\n", n, n < MOST ? strerrorname_np(errno) : "nothing");
			for (int i = 0; i < n; i++)
				mq_close(q[i]);
		}
		fflush(stdout);
		_exit(0);
	}
	wait(&status);
	return status != 0;
}
