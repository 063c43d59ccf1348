/* FIFOs: opens that wait for each other, O_NONBLOCK, O_RDWR. */
#include "../say.h"
#include <poll.h>
#include <sys/stat.h>
int main(void)
{
	char dir[] = "/tmp/fifoXXXXXX", path[64], buf[16];
	int r, w, status;
	struct stat st;
	struct pollfd pfd;

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/f", dir);
	umask(022);
	SAY_AS("mkfifo", mkfifo(path, 0666));
	SAY_AS("mkfifo again", mkfifo(path, 0666));
	MUST(stat(path, &st));
	printf("%o\n", st.st_mode);
	SAY_AS("open write nonblock", open(path, O_WRONLY | O_NONBLOCK));
	r = MUST(open(path, O_RDONLY | O_NONBLOCK));
	pfd = (struct pollfd){r, POLLIN, 0};
	SAY(poll(&pfd, 1, 0));
	SAY(read(r, buf, 1));
	w = MUST(open(path, O_WRONLY | O_NONBLOCK));
	SAY(read(r, buf, 1));
	SAY(write(w, "hi", 2));
	SAY(poll(&pfd, 1, 0));
	printf("%x\n", pfd.revents);
	close(w);
	SAY(poll(&pfd, 1, 0));
	printf("%x\n", pfd.revents);
	SAY(read(r, buf, 9));
	SAY(poll(&pfd, 1, 0));
	printf("%x\n", pfd.revents);
	SAY(read(r, buf, 9));
	close(r);
	fflush(stdout);
	if (!MUST(fork())) {
		w = MUST(open(path, O_WRONLY));
		write(w, "child", 5);
		_exit(0);
	}
	r = MUST(open(path, O_RDONLY));
	SAY(read(r, buf, 9));
	SAY(read(r, buf, 9));
	wait(&status);
	close(r);
	r = MUST(open(path, O_RDWR));
	SAY(write(r, "self", 4));
	SAY(read(r, buf, 9));
	SAY(ftruncate(r, 0));
	SAY_AS("lseek", lseek(r, 0, SEEK_CUR));
	close(r);
	unlink(path);
	rmdir(dir);
	return 0;
}
