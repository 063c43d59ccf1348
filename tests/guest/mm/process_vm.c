/* process_vm_readv(2) and process_vm_writev(2) on a child and on ourselves. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char data[20000] = "parent's", more[100] = "second";

int main(void)
{
	long r;

	int to_child[2], from_child[2], status;
	char a[20000], b[100], c;

	pipe(to_child);
	pipe(from_child);
	pid_t pid = fork();

	if (pid == 0) {
		strcpy(data, "child's");
		memset(data + 5000, 'z', 10000);
		write(from_child[1], "x", 1);
		read(to_child[0], &c, 1);
		_exit(strcmp(data, "written") == 0 && data[19999] == 'e' ? 3 : 4);
	}
	read(from_child[0], &c, 1);
	struct iovec local[2] = {{a, 10}, {a + 10, 19990}}, remote[2] = {{data, 15000}, {more, 100}};

	printf("read %zd: %s %c %s\n", process_vm_readv(pid, local, 2, remote, 2, 0), a, a[5000], a + 15000);
	printf("ours is still %s\n", data);
	strcpy(a, "written");
	a[19999] = 'e';
	local[0] = (struct iovec){a, 20000};
	remote[0] = (struct iovec){data, 20000};
	printf("write %zd\n", process_vm_writev(pid, local, 1, remote, 1, 0));
	/* A bad end cuts the transfer, a bad start fails. */
	char *edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(edge + 4096, 4096);
	local[0] = (struct iovec){b, 100};
	remote[0] = (struct iovec){edge + 4096 - 40, 100};
	printf("partial %zd\n", process_vm_readv(getpid(), local, 1, remote, 1, 0));
	remote[0] = (struct iovec){(void *)16, 100};
	errno = 0;
	r = process_vm_readv(getpid(), local, 1, remote, 1, 0);
	printf("bad address %ld %s\n", r, strerror(errno));
	remote[0] = (struct iovec){data, 10};
	errno = 0;
	r = process_vm_readv(pid, local, 1, remote, 1, 1);
	printf("flags %ld %s\n", r, strerror(errno));
	errno = 0;
	r = process_vm_readv(pid, local, 5000, remote, 1, 0);
	printf("too many %ld %s\n", r, strerror(errno));
	errno = 0;
	r = process_vm_readv(0x3fffffff, local, 1, remote, 1, 0);
	printf("nobody %ld %s\n", r, strerror(errno));
	printf("nothing %zd\n", process_vm_readv(pid, local, 0, remote, 1, 0));
	write(to_child[1], "x", 1);
	wait(&status);
	printf("child %d\n", WEXITSTATUS(status));
	return 0;
}
