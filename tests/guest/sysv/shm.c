/* System V shared memory. */
#include "tests/guest/show.h"
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#define KEY 0x5b0a1101
int main(void)
{
	struct shmid_ds ds;
	char *a, *b, *want;
	int id;

	shmctl(shmget(KEY, 0, 0), IPC_RMID, NULL);
	SHOW(shmget(KEY, 0, 0600));
	SHOW(shmget(IPC_PRIVATE, 0, 0600));
	id = shmget(KEY, 10000, IPC_CREAT | IPC_EXCL | 0640);
	CHECK(id >= 0);
	SHOW(shmget(KEY, 10000, IPC_CREAT | IPC_EXCL | 0640));
	SHOW(shmget(KEY, 20000, 0));
	CHECK(shmget(KEY, 5000, 0) == id);
	SHOW(shmctl(id, IPC_STAT, &ds));
	printf("size %zu mode %o nattch %lu\n", ds.shm_segsz, ds.shm_perm.mode, (long)ds.shm_nattch);
	CHECK(ds.shm_cpid == getpid() && ds.shm_perm.__key == KEY);
	a = shmat(id, NULL, 0);
	CHECK(a != (void *)-1);
	CHECK(a[0] == 0 && a[9999] == 0);
	strcpy(a, "shared");
	b = shmat(id, NULL, SHM_RDONLY);
	CHECK(b != a && !strcmp(b, "shared"));
	shmctl(id, IPC_STAT, &ds);
	printf("nattch %lu\n", (long)ds.shm_nattch);
	fflush(stdout);
	if (!fork()) {
		shmctl(id, IPC_STAT, &ds);
		printf("child nattch %lu\n", (long)ds.shm_nattch);
		strcpy(a, "from the child");
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	printf("%s\n", b);
	shmctl(id, IPC_STAT, &ds);
	printf("nattch %lu\n", (long)ds.shm_nattch);
	SHOW(shmdt(b));
	SHOW(shmdt(b));
	SHOW(shmdt(a + 1));
	SHOW(shmat(id, a, 0));
	SHOW(shmat(id, (void *)0x100001, 0));
	want = a + (64 << 20);
	b = shmat(id, want + 5, SHM_RND);
	CHECK(b == want && !strcmp(b, "from the child"));
	SHOW(shmat(id, want, 0));
	CHECK(shmat(id, want, SHM_REMAP) == want);
	SHOW(shmat(id, NULL, SHM_REMAP));
	SHOW(shmdt(want));
	SHOW(shmat(id + 1000, NULL, 0));
	ds.shm_perm.mode = 0600;
	SHOW(shmctl(id, IPC_SET, &ds));
	SHOW(shmctl(id, IPC_RMID, NULL));
	SHOW(shmget(KEY, 0, 0));
	/* alive while attached */
	SHOW(shmctl(id, IPC_STAT, &ds));
	printf("mode %o\n", ds.shm_perm.mode);
	printf("%s\n", a);
	SHOW(shmdt(a));
	SHOW(shmctl(id, IPC_STAT, &ds));
	SHOW(shmctl(-1, IPC_STAT, &ds));
	SHOW(shmctl(id, 77, &ds));
	return 0;
}
