/* A pipe opened again through /proc/self/fd and /dev/stdin. */
#include "../say.h"
int main(void)
{
	char path[64], buf[16];
	int p[2], r;

	MUST(pipe(p));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
	r = (int)SAY_FD(open(path, O_RDONLY));
	SAY(write(p[1], "abc", 3));
	SAY(read(r, buf, 9));
	close(p[0]);
	SAY(write(p[1], "def", 3));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[1]);
	close(r);
	r = (int)SAY_FD(open(path, O_RDONLY | O_NONBLOCK));
	SAY(read(r, buf, 9));
	MUST(dup2(r, 0));
	SAY(write(p[1], "in", 2));
	r = (int)SAY_FD(open("/dev/stdin", O_RDONLY));
	SAY(read(r, buf, 9));
	return 0;
}
