/* Capabilities: what setuid does to them, keepcaps, capset's rules, bounding set, ambient set. */
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
static struct __user_cap_data_struct d[2];

static int has(int which, int cap)
{
	syscall(SYS_capget, &h, d);
	return (which == 'e' ? d[cap / 32].effective : which == 'p' ? d[cap / 32].permitted : d[cap / 32].inheritable) >>
	       cap % 32 & 1;
}

static void show(const char *what)
{
	printf("%s: CHOWN e%d p%d i%d KILL e%d p%d\n", what, has('e', CAP_CHOWN), has('p', CAP_CHOWN),
	       has('i', CAP_CHOWN), has('e', CAP_KILL), has('p', CAP_KILL));
}

static void branch(void (*fn)(void))
{
	fflush(stdout);
	if (!fork()) {
		fn();
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

static void plain(void)
{
	seteuid(1000);
	show("euid 1000");
	seteuid(0);
	show("euid 0");
	setuid(1000);
	show("uid 1000");
}
static void keep(void)
{
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	printf("keepcaps %d securebits %d\n", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0), prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	setuid(1000);
	show("kept");
	syscall(SYS_capget, &h, d);
	d[0].effective = 1u << CAP_CHOWN;
	d[0].permitted = 1u << CAP_CHOWN;
	d[0].inheritable = 1u << CAP_CHOWN;
	d[1].effective = d[1].permitted = d[1].inheritable = 0;
	printf("capset %ld\n", syscall(SYS_capset, &h, d));
	show("less");
	d[0].permitted |= 1u << CAP_KILL;
	{
		long r_ = syscall(SYS_capset, &h, d);

		printf("more: %ld %s\n", r_, strerror(errno));
	}
	printf("ambient raise %d\n", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	{
		long r_ = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0);

		printf("ambient other %d %s\n", (int)r_, strerror(errno));
	}
	printf("is set %d\n", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0));
	execl("/proc/self/exe", "caps", "ambient", NULL);
}
static void bound(void)
{
	printf("read %d\n", prctl(PR_CAPBSET_READ, CAP_KILL, 0, 0, 0));
	printf("drop %d\n", prctl(PR_CAPBSET_DROP, CAP_KILL, 0, 0, 0));
	printf("read %d\n", prctl(PR_CAPBSET_READ, CAP_KILL, 0, 0, 0));
	{
		long r_ = prctl(PR_CAPBSET_READ, 99, 0, 0, 0);

		printf("bad %d %s\n", (int)r_, strerror(errno));
	}
	show("before exec");
	execl("/proc/self/exe", "caps", "bounded", NULL);
}
static void errors(void)
{
	struct __user_cap_header_struct bad = {0x1234, 0};

	printf("version: %ld %s wrote %d\n", syscall(SYS_capget, &bad, d), strerror(errno),
	       bad.version == _LINUX_CAPABILITY_VERSION_3);
	bad.pid = 999999;
	{
		long r_ = syscall(SYS_capget, &bad, d);

		printf("nobody: %ld %s\n", r_, strerror(errno));
	}
	bad.pid = 1;
	{
		long r_ = getpid() == 1 ? -1 : syscall(SYS_capset, &bad, d);

		printf("set another: %ld %s\n", r_, strerror(errno));
	}
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		fflush(stdout);
		show(argv[1]);
		return 0;
	}
	if (getuid() || !has('p', CAP_KILL) || !has('p', CAP_CHOWN) || !has('p', CAP_SETPCAP))
		return 77;
	setvbuf(stdout, NULL, _IOLBF, 0);
	show("root");
	branch(plain);
	branch(keep);
	branch(bound);
	branch(errors);
	return 0;
}
