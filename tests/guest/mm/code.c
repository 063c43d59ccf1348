/* Generated code: writable and executable, flipped, and changed while it is used. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned char ret_const[] = {0xb8, 1, 0, 0, 0, 0xc3};
/* mov $39,%eax; syscall; ret (getpid) */
static const unsigned char ret_getpid[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};

int main(void)
{
	unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*fn)(void) = (int (*)(void))p, sum = 0, status;

	memcpy(p, ret_const, sizeof(ret_const));
	for (int i = 0; i < 100; i++) {
		p[1] = (unsigned char)i;
		sum += fn();
	}
	printf("sum %d\n", sum);
	mprotect(p, 4096, PROT_READ | PROT_WRITE);
	memcpy(p, ret_getpid, sizeof(ret_getpid));
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
	int same = 0;

	for (int i = 0; i < 20; i++)
		same += fn() == getpid();
	printf("system call from new code %d\n", same);
	if (fork() == 0)
		_exit(fn() == syscall(SYS_getpid) ? 7 : 8);
	wait(&status);
	printf("in a child %d\n", WEXITSTATUS(status));
	munmap(p, 4096);
	p = mmap(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memcpy(p, ret_const, sizeof(ret_const));
	printf("other code at the same place %d\n", fn());
	return 0;
}
