/* /dev/fd and its kin. */
#include "../show.h"
#include <fcntl.h>
#include <sys/stat.h>
int main(void)
{
	char buf[64], path[64];
	int p[2];

	SHOW(readlink("/dev/fd", buf, sizeof(buf)));
	SHOW(readlink("/dev/stdin", buf, sizeof(buf)));
	SHOW(readlink("/dev/stderr", buf, sizeof(buf)));
	pipe(p);
	write(p[1], "through", 7);
	snprintf(path, sizeof(path), "/dev/fd/%d", p[0]);
	int fd = SHOW_OK(open(path, O_RDONLY));
	SHOW(read(fd, buf, sizeof(buf)));
	SHOW_OK(open("/dev/fd/999", O_RDONLY));
	FILE *out = fopen("/dev/stdout", "w");
	CHECK(out != NULL);
	fprintf(out, "by name\n");
	fclose(out);
	struct stat st;
	SHOW(stat("/dev/shm", &st));
	printf("%o\n", st.st_mode);
	SHOW(stat("/dev/pts", &st));
	CHECK(S_ISDIR(st.st_mode));
	return 0;
}
