/* clone with its own stack and shared memory, CLONE_VM without a thread, the tid words, and bad flags. */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int shared;
static int ctid;

static int child(void *arg)
{
	shared = (int)(long)arg;
	if (ctid != syscall(SYS_gettid))
		shared = -1;
	return 11;
}

int main(void)
{
	char *stack = malloc(65536);
	int status, ptid = 0;
	pid_t pid;

	pid = clone(child, stack + 65536,
		    CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD,
		    (void *)7, &ptid, NULL, &ctid);
	printf("ptid %d\n", ptid == pid);
	waitpid(pid, &status, 0);
	printf("shared %d exit %d cleared %d\n", shared, WEXITSTATUS(status), ctid == 0);
	pid = clone(child, stack + 65536, CLONE_VM | CLONE_CHILD_SETTID, (void *)8, NULL, NULL, &ctid);
	{
		long r_ = waitpid(pid, &status, 0);

		printf("plain wait: %d %s\n", (int)r_, strerror(errno));
	}
	printf("__WCLONE: %d\n", waitpid(pid, &status, __WCLONE) == pid);
	printf("shared %d\n", shared);
	signal(SIGUSR2, SIG_IGN);
	pid = clone(child, stack + 65536, CLONE_VM | CLONE_CHILD_SETTID | SIGUSR2, (void *)9, NULL, NULL, &ctid);
	printf("USR2 sent: ");
	fflush(stdout);
	signal(SIGUSR2, SIG_IGN);
	printf("__WALL %d\n", waitpid(pid, &status, __WALL) == pid);
	printf("SIGHAND without VM: %s\n", syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0) < 0 ? strerror(errno) : "?");
	printf("THREAD without SIGHAND: %s\n",
	       syscall(SYS_clone, CLONE_THREAD | CLONE_VM, stack, 0, 0, 0) < 0 ? strerror(errno) : "?");
	printf("NEWNS with FS: %s\n", syscall(SYS_clone, CLONE_NEWNS | CLONE_FS, 0, 0, 0, 0) < 0 ? strerror(errno) : "?");
	printf("clone3 short: %s\n", syscall(SYS_clone3, &status, 8) < 0 ? strerror(errno) : "?");
	return 0;
}
