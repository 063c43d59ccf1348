/* Open file description locks: owned by the description, kept over fork and other closes. */
#include "fs.h"

static int lk(int f, int cmd, int type, off_t start, off_t len)
{
	struct flock l = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(f, cmd, &l);
}

int main(void)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int a, b, d, status;
	pid_t pid;

	fs_enter();
	fs_make("f", "0123456789");
	a = open("f", O_RDWR);
	b = open("f", O_RDWR);
	T(lk(a, F_OFD_SETLK, F_WRLCK, 0, 5));
	T(lk(b, F_OFD_SETLK, F_WRLCK, 0, 5));
	T(lk(b, F_OFD_SETLK, F_RDLCK, 4, 5));
	T(lk(b, F_OFD_SETLK, F_RDLCK, 5, 5));
	T(lk(a, F_OFD_SETLK, F_RDLCK, 0, 10));
	T(lk(a, F_SETLK, F_WRLCK, 0, 1));
	T(fcntl(b, F_OFD_GETLK, &l));
	printf("type %i start %ld len %ld pid %i\n", l.l_type, (long)l.l_start, (long)l.l_len, l.l_pid);
	l = (struct flock){.l_type = F_WRLCK, .l_pid = 1};
	T(fcntl(b, F_OFD_SETLK, &l));
	T(fcntl(b, F_OFD_GETLK, &l));
	d = dup(a);
	close(open("f", O_RDWR));
	T(lk(b, F_OFD_SETLK, F_WRLCK, 0, 1));
	close(a);
	T(lk(b, F_OFD_SETLK, F_WRLCK, 0, 1));
	pid = fork();
	if (!pid)
		_exit(0);
	waitpid(pid, &status, 0);
	T(lk(b, F_OFD_SETLK, F_WRLCK, 0, 1));
	close(d);
	T(lk(b, F_OFD_SETLK, F_WRLCK, 0, 1));
	pid = fork();
	if (!pid) {
		/* the same description */
		T(lk(b, F_OFD_SETLK, F_WRLCK, 0, 3));
		T(lk(open("f", O_RDWR), F_OFD_SETLK, F_WRLCK, 2, 1));
		_exit(0);
	}
	waitpid(pid, &status, 0);
	T(lk(b, F_OFD_SETLK, F_UNLCK, 0, 0));
	return 0;
}
