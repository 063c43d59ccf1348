/* POSIX record locks of two processes: conflicts, ranges, splitting, release at close and exit. */
#include "fs.h"

static int fd;
static int lk(int f, int cmd, int type, off_t start, off_t len)
{
	struct flock l = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(f, cmd, &l);
}

/* What the parent holds, as another process sees it. */
static void seen(const char *what)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		off_t at = 0;

		printf("%s:", what);
		for (;;) {
			struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at};

			fcntl(fd, F_GETLK, &l);
			if (l.l_type == F_UNLCK)
				break;
			printf(" %c[%ld,%ld)%s", l.l_type == F_RDLCK ? 'r' : 'w', (long)l.l_start,
			       l.l_len ? (long)(l.l_start + l.l_len) : -1L, l.l_pid == getppid() ? "" : "?");
			if (!l.l_len)
				break;
			at = l.l_start + l.l_len;
		}
		printf("\n");
		_exit(0);
	}
	waitpid(pid, &status, 0);
}

int main(void)
{
	int other, r, status;
	pid_t pid;

	fs_enter();
	fs_make("f", "0123456789");
	fd = open("f", O_RDWR);
	T(lk(fd, F_SETLK, F_WRLCK, 0, 100));
	seen("one");
	T(lk(fd, F_SETLK, F_UNLCK, 40, 20));
	seen("split");
	T(lk(fd, F_SETLK, F_RDLCK, 10, 10));
	seen("mixed");
	T(lk(fd, F_SETLK, F_WRLCK, 40, 20));
	seen("joined");
	T(lk(fd, F_SETLK, F_RDLCK, 0, 0));
	seen("all");
	T(lk(fd, F_SETLK, F_UNLCK, 5, 5));
	T(lk(fd, F_SETLK, F_UNLCK, 500, 0));
	seen("cut");
	pid = fork();
	if (!pid) {
		T(lk(fd, F_SETLK, F_WRLCK, 0, 1));
		T(lk(fd, F_SETLK, F_RDLCK, 0, 1));
		T(lk(fd, F_SETLK, F_WRLCK, 5, 5));
		T(lk(fd, F_SETLK, F_WRLCK, 500, 0));
		_exit(0);
	}
	waitpid(pid, &status, 0);
	/* closing any descriptor of the file drops them all */
	other = open("f", O_RDONLY);
	close(other);
	seen("after close");
	r = open("f", O_RDONLY);
	T(lk(r, F_SETLK, F_WRLCK, 0, 1));
	T(lk(r, F_SETLK, F_RDLCK, 0, 1));
	other = open("f", O_WRONLY);
	T(lk(other, F_SETLK, F_RDLCK, 0, 1));
	T(lk(fd, F_SETLK, 77, 0, 1));
	T(lk(fd, F_SETLK, F_WRLCK, -1, 1));
	T(lk(fd, F_SETLK, F_WRLCK, 0, -1));
	T(lk(fd, F_SETLK, F_WRLCK, 10, -5));
	seen("backwards");
	T(lk(-1, F_SETLK, F_WRLCK, 0, 1));
	T(fcntl(fd, F_SETLK, NULL));
	T(fcntl(fd, F_SETLK, (void *)8));
	T(lk(fd, F_SETLK, F_UNLCK, 0, 0));
	seen("none");
	return 0;
}
