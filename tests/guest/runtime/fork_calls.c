/* Children of every kind go on with the call sites of their parent. */
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "tests/guest/show.h"

static int many(pid_t ppid)
{
	int bad = 0;

	for (int i = 0; i < 30; i++) {
		bad |= getppid() != ppid;
		bad |= syscall(SYS_getpid) != getpid() ? 2 : 0;
		bad |= umask(022) != 022 ? 4 : 0;
		bad |= syscall(SYS_getuid) != getuid() ? 8 : 0;
	}
	return bad;
}

static char stack[65536];
static int child_fn(void *arg)
{
	return many(*(pid_t *)arg) ? 1 : 7;
}

int main(void)
{
	pid_t me = getpid(), pid;
	int status;

	umask(022);
	printf("parent %d\n", many(getppid()));
	for (int depth = 0; depth < 3; depth++) {
		fflush(stdout);
		pid = fork();
		if (!pid)
			_exit(many(me));
		waitpid(pid, &status, 0);
		printf("fork %x\n", status);
		pid = vfork();
		if (!pid)
			_exit(getppid() == me ? 3 : 4);
		waitpid(pid, &status, 0);
		printf("vfork %x\n", status);
		pid = clone(child_fn, stack + sizeof(stack), SIGCHLD, &me);
		waitpid(pid, &status, 0);
		printf("clone %x\n", status);
		pid = clone(child_fn, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &me);
		waitpid(pid, &status, 0);
		printf("clone, shared memory %x\n", status);
		printf("parent %d\n", many(getppid()));
	}
	return 0;
}
