/* System V semaphores: operations, blocking, undo, removal. */
#include "tests/guest/show.h"
#include <signal.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#define KEY 0x5b0a1102
union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};
static void h(int s)
{
	(void)s;
}
static int op(int id, int num, int o, int flg)
{
	struct sembuf sb = {(unsigned short)num, (short)o, (short)flg};

	return semop(id, &sb, 1);
}
int main(void)
{
	unsigned short all[3] = {1, 2, 3};
	struct sembuf two[2] = {{0, -1, 0}, {1, -5, IPC_NOWAIT}};
	struct timespec ms20 = {0, 20000000};
	struct sigaction sa = {.sa_handler = h, .sa_flags = SA_RESTART};
	struct itimerval it = {{0, 0}, {0, 50000}};
	struct semid_ds ds;
	union semun u;
	int id, pid, st;

	semctl(semget(KEY, 0, 0), 0, IPC_RMID);
	SHOW(semget(KEY, 0, 0));
	SHOW(semget(KEY, 0, IPC_CREAT | 0600));
	id = semget(KEY, 3, IPC_CREAT | 0600);
	SHOW(semget(KEY, 4, 0));
	SHOW(semget(KEY, 3, IPC_CREAT | IPC_EXCL));
	u.array = all;
	SHOW(semctl(id, 0, SETALL, u));
	SHOW(semctl(id, 1, GETVAL));
	SHOW(op(id, 0, -1, 0));
	SHOW(op(id, 0, -1, IPC_NOWAIT));
	SHOW(op(id, 0, 0, IPC_NOWAIT));
	SHOW(op(id, 1, 0, IPC_NOWAIT));
	SHOW(op(id, 3, 1, 0));
	SHOW(op(id, 2, 32767, 0));
	u.val = 40000;
	SHOW(semctl(id, 2, SETVAL, u));
	SHOW(semop(id, two, 0));
	op(id, 0, 1, 0);
	SHOW(semop(id, two, 2));
	SHOW(semctl(id, 0, GETVAL));
	two[1].sem_op = -1;
	SHOW(semop(id, two, 2));
	u.array = all;
	SHOW(semctl(id, 0, GETALL, u));
	printf("%d %d %d\n", all[0], all[1], all[2]);
	two[0].sem_op = -1;
	SHOW(semtimedop(id, two, 1, &ms20));
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	SHOW(op(id, 0, -1, 0));
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(op(id, 0, -2, 0));
	for (int i = 0; i < 200 && semctl(id, 0, GETNCNT) != 1; i++)
		usleep(10000);
	SHOW(semctl(id, 0, GETNCNT));
	op(id, 0, 1, 0);
	usleep(30000);
	SHOW(waitpid(pid, &st, WNOHANG));
	op(id, 0, 1, 0);
	waitpid(pid, &st, 0);
	printf("child %d, value %d\n", WEXITSTATUS(st), semctl(id, 0, GETVAL));
	CHECK(semctl(id, 0, GETPID) == pid);
	op(id, 0, 5, 0);
	if (!fork()) {
		op(id, 0, -3, SEM_UNDO);
		_exit(semctl(id, 0, GETVAL));
	}
	wait(&st);
	printf("in the child %d, after %d\n", WEXITSTATUS(st), semctl(id, 0, GETVAL));
	pid = fork();
	if (!pid)
		_exit(op(id, 0, 0, 0) == -1 ? errno == EIDRM ? 9 : 8 : 7);
	for (int i = 0; i < 200 && semctl(id, 0, GETZCNT) != 1; i++)
		usleep(10000);
	u.buf = &ds;
	SHOW(semctl(id, 0, IPC_STAT, u));
	printf("%lu %o\n", (long)ds.sem_nsems, ds.sem_perm.mode);
	SHOW(semctl(id, 0, IPC_RMID));
	wait(&st);
	printf("%d\n", WEXITSTATUS(st));
	SHOW(op(id, 0, 1, 0));
	return 0;
}
