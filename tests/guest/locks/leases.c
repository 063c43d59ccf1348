/* Leases: who may have one, and the signal when somebody else comes. */
#include "fs.h"
#include <sys/file.h>

static volatile int got;
static void on_io(int signo)
{
	got = signo;
}

int main(void)
{
	int r, w, status;
	pid_t pid;

	fs_enter();
	fs_make("f", "x");
	signal(SIGIO, on_io);
	r = open("f", O_RDONLY);
	if (fcntl(r, F_SETLEASE, F_RDLCK) < 0 && errno == EINVAL)
		return 77; /* the file system here has none */
	T(fcntl(r, F_GETLEASE));
	T(fcntl(r, F_SETLEASE, F_UNLCK));
	T(fcntl(r, F_GETLEASE));
	T(fcntl(r, F_SETLEASE, 77));
	w = open("f", O_RDWR);
	T(fcntl(r, F_SETLEASE, F_RDLCK));
	T(fcntl(r, F_SETLEASE, F_WRLCK));
	close(w);
	T(fcntl(r, F_SETLEASE, F_RDLCK));
	T(open("f", O_WRONLY | O_NONBLOCK));
	printf("signal %i\n", got == SIGIO);
	got = 0;
	T(fcntl(r, F_GETLEASE));
	pid = fork();
	if (!pid) {
		int fd = open("f", O_WRONLY);

		printf("child open %i\n", fd >= 0);
		_exit(0);
	}
	usleep(100000);
	fcntl(r, F_SETLEASE, F_UNLCK);
	waitpid(pid, &status, 0);
	T(fcntl(open(".", O_RDONLY), F_SETLEASE, F_RDLCK));
	return 0;
}
