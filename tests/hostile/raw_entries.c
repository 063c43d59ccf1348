/* Every other way into a kernel: int 0x80, sysenter, the x32 numbers, the vsyscall page. None may reach the
 * host's calls: an answer must be an error or death. */
#include "hostile.h"
#include <sys/ptrace.h>

static int survived_with(long (*fn)(void), const char *name)
{
	int status, p[2];
	long ret = 0;
	pid_t child;

	if (pipe(p))
		return 1;
	child = fork();
	if (!child) {
		long r = fn();

		_exit(write(p[1], &r, sizeof(r)) != sizeof(r));
	}
	close(p[1]);
	if (waitpid(child, &status, 0) != child)
		return 1;
	if (read(p[0], &ret, sizeof(ret)) != sizeof(ret)) {
		printf("%s: the process died\n", name);
		close(p[0]);
		return 0;
	}
	close(p[0]);
	printf("%s: %s\n", name, ret < 0 && ret > -4096 ? "an error" : "an answer");
	return !(ret < 0 && ret > -4096);
}

static long by_int80(void)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(20) : "memory"); /* i386 getpid */
	return (int)ret;
}

static long by_sysenter(void)
{
	long ret;

	__asm__ volatile("mov %%rsp, %%rbp\n\tsysenter" : "=a"(ret) : "a"(20) : "memory", "rcx", "rdx");
	return (int)ret;
}

static long by_x32(void)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(0x40000000 | SYS_getpid) : "rcx", "r11", "memory");
	return ret;
}

int main(void)
{
	int bad = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	bad += survived_with(by_int80, "int 0x80");
	bad += survived_with(by_sysenter, "sysenter");
	bad += survived_with(by_x32, "x32");
	return bad != 0;
}
