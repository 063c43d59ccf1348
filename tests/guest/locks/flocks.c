/* flock(2): shared, exclusive, conversion, inheritance, independence from record locks. */
#include "fs.h"
#include <sys/file.h>

int main(void)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int a, b, c, status;
	pid_t pid;

	fs_enter();
	fs_make("f", "x");
	a = open("f", O_RDONLY);
	b = open("f", O_RDWR);
	T(flock(a, LOCK_SH));
	T(flock(b, LOCK_SH | LOCK_NB));
	T(flock(b, LOCK_EX | LOCK_NB));
	T(flock(a, LOCK_EX | LOCK_NB));
	T(flock(b, LOCK_UN));
	T(flock(a, LOCK_EX | LOCK_NB));
	T(flock(b, LOCK_SH | LOCK_NB));
	T(fcntl(b, F_SETLK, &l));
	c = dup(a);
	T(flock(c, LOCK_SH));
	T(flock(b, LOCK_SH | LOCK_NB));
	T(flock(b, LOCK_UN));
	T(flock(c, LOCK_EX));
	close(a);
	T(flock(b, LOCK_SH | LOCK_NB));
	pid = fork();
	if (!pid) {
		T(flock(c, LOCK_UN));
		_exit(0);
	}
	waitpid(pid, &status, 0);
	T(flock(b, LOCK_EX | LOCK_NB));
	close(b);
	T(flock(c, LOCK_EX | LOCK_NB));
	T(flock(c, 0));
	T(flock(c, 99));
	T(flock(-1, LOCK_SH));
	T(flock(open("f", O_PATH), LOCK_SH));
	a = open(".", O_RDONLY);
	T(flock(a, LOCK_EX | LOCK_NB));
	b = open(".", O_RDONLY);
	T(flock(b, LOCK_SH | LOCK_NB));
	pid = fork();
	if (!pid) {
		/* waits until the parent's description is gone */
		close(a);
		T(flock(b, LOCK_EX));
		_exit(0);
	}
	usleep(100000);
	close(a);
	waitpid(pid, &status, 0);
	printf("exit %i\n", WEXITSTATUS(status));
	return 0;
}
