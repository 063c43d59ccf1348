/* Another process's directory: states, zombies, permission, disappearance. */
#include "tests/guest/proc/util.h"
#include <signal.h>
#include <sys/wait.h>
static char state(int pid)
{
	char path[64], buf[4096];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (slurp(path, buf, sizeof(buf)) < 0)
		return '-';
	return strrchr(buf, ')')[2];
}
static void wait_state(int pid, char want)
{
	for (int i = 0; i < 500 && state(pid) != want; i++)
		usleep(10000);
	printf("%c\n", state(pid));
}
int main(void)
{
	char path[64], buf[4096];
	int fd, pid;

	if (geteuid())
		return 77;
	pid = fork();
	if (!pid) {
		if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
			_exit(1);
		for (;;)
			pause();
	}
	wait_state(pid, 'S');
	kill(pid, SIGSTOP);
	wait_state(pid, 'T');
	kill(pid, SIGCONT);
	wait_state(pid, 'S');
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY);
	kill(pid, SIGKILL);
	wait_state(pid, 'Z');
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	printf("cmdline %zd\n", slurp(path, buf, sizeof(buf)));
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	SHOW(readlink(path, buf, sizeof(buf)));
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	printf("maps %zd\n", slurp(path, buf, sizeof(buf)));
	waitpid(pid, NULL, 0);
	wait_state(pid, '-');
	SHOW(read(fd, buf, sizeof(buf)));
	/* a stranger must not look into root's process */
	pid = getpid();
	fflush(stdout);
	if (!fork()) {
		if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
			_exit(1);
		snprintf(path, sizeof(path), "/proc/%d/environ", pid);
		SHOW(open(path, O_RDONLY));
		snprintf(path, sizeof(path), "/proc/%d/maps", pid);
		SHOW(open(path, O_RDONLY));
		snprintf(path, sizeof(path), "/proc/%d/exe", pid);
		SHOW(readlink(path, buf, sizeof(buf)));
		snprintf(path, sizeof(path), "/proc/%d/fd", pid);
		SHOW(open(path, O_RDONLY | O_DIRECTORY));
		snprintf(path, sizeof(path), "/proc/%d/mem", pid);
		SHOW(open(path, O_RDONLY));
		snprintf(path, sizeof(path), "/proc/%d/status", pid);
		SHOW_OK(open(path, O_RDONLY));
		_exit(0);
	}
	wait(NULL);
	return 0;
}
