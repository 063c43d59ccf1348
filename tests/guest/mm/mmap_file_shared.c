/* Shared file mappings: writes reach the file and other mappings; msync. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	char name[] = "/tmp/mmapXXXXXX", buf[16] = {0};
	int fd = mkstemp(name), status;

	ftruncate(fd, 8192);
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096);

	strcpy(p, "first");
	strcpy(p + 4096, "second");
	printf("msync %d\n", msync(p, 8192, MS_SYNC));
	pread(fd, buf, 6, 0);
	printf("read %s, other mapping %s\n", buf, q);
	pwrite(fd, "third", 6, 4096);
	printf("written through the descriptor: %s %s\n", p + 4096, q);
	if (fork() == 0) {
		strcpy(p + 100, "child");
		_exit(0);
	}
	wait(&status);
	pread(fd, buf, 6, 100);
	printf("from the child: %s %s\n", p + 100, buf);
	close(fd);
	strcpy(p, "closed");
	fd = open(name, O_RDONLY);
	read(fd, buf, 7);
	printf("after close: %s\n", buf);
	struct stat st;

	fstat(fd, &st);
	printf("size %ld\n", (long)st.st_size);
	unlink(name);
	return 0;
}
