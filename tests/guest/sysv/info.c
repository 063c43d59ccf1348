/* What *_INFO counts is what /proc/sysvipc lists, for everybody; *_STAT_ANY takes a whole id, too. */
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MSG_STAT_ANY_ 13
#define SEM_STAT_ANY_ 20
#define SHM_STAT_ANY_ 15

static int lines(const char *path)
{
	FILE *f = fopen(path, "r");
	int n = -1, c;

	while (f && (c = fgetc(f)) != EOF)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

int main(void)
{
	int q, s, m;
	char buf[512];
	struct msginfo mi;
	struct seminfo si;
	struct shm_info hi;

	q = msgget(IPC_PRIVATE, 0600);
	s = semget(IPC_PRIVATE, 2, 0600);
	m = shmget(IPC_PRIVATE, 5000, 0600);
	printf("made %d\n", q >= 0 && s >= 0 && m >= 0);
	for (int who = 0; who < 2; who++) {
		if (who)
			(void)!seteuid(65534);
		printf("msg %d", msgctl(0, MSG_INFO, (struct msqid_ds *)&mi) >= 0);
		printf(" %d\n", mi.msgpool == lines("/proc/sysvipc/msg"));
		printf("sem %d", semctl(0, 0, SEM_INFO, &si) >= 0);
		printf(" %d\n", si.semusz == lines("/proc/sysvipc/sem"));
		printf("shm %d", shmctl(0, SHM_INFO, (struct shmid_ds *)&hi) >= 0);
		printf(" %d\n", hi.used_ids == lines("/proc/sysvipc/shm"));
		printf("any %d %d %d\n", syscall(SYS_msgctl, q, MSG_STAT_ANY_, buf) == q,
		       syscall(SYS_semctl, s, 0, SEM_STAT_ANY_, buf) == s, syscall(SYS_shmctl, m, SHM_STAT_ANY_, buf) == m);
	}
	(void)!seteuid(0);
	msgctl(q, IPC_RMID, NULL);
	semctl(s, 0, IPC_RMID);
	shmctl(m, IPC_RMID, NULL);
	return 0;
}
