/* Permissions of System V objects. */
#include "tests/guest/show.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
int main(void)
{
	struct shmid_ds ds;
	struct sembuf up = {0, 1, 0};
	int shm, sem, msg;
	char *p;

	if (geteuid())
		return 77;
	shm = shmget(IPC_PRIVATE, 4096, 0640);
	sem = semget(IPC_PRIVATE, 1, 0604);
	msg = msgget(IPC_PRIVATE, 0600);
	shmctl(shm, IPC_STAT, &ds);
	ds.shm_perm.uid = 1000;
	ds.shm_perm.mode = 0444;
	SHOW(shmctl(shm, IPC_SET, &ds));
	shmctl(shm, IPC_STAT, &ds);
	printf("%u %u %o\n", ds.shm_perm.uid, ds.shm_perm.cuid, ds.shm_perm.mode);
	if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		return 77;
	p = shmat(shm, NULL, SHM_RDONLY);
	CHECK(p != (void *)-1);
	SHOW(shmat(shm, NULL, 0));
	SHOW(semctl(sem, 0, GETVAL));
	SHOW(semop(sem, &up, 1));
	SHOW(semctl(sem, 0, SETVAL, 1));
	SHOW(semctl(sem, 0, IPC_RMID));
	SHOW(msgsnd(msg, &(long[2]){1, 1}, 1, 0));
	SHOW(msgctl(msg, IPC_STAT, NULL));
	SHOW(shmctl(shm, IPC_RMID, NULL));
		return 0;
	return 0;
}
