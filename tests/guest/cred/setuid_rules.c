/* The set*id rules from root and after it was given up. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *what, int r)
{
	uid_t a, b, c;

	if (r < 0)
		printf("%s: %s", what, strerror(errno));
	else
		printf("%s: ok", what);
	getresuid(&a, &b, &c);
	printf(" %u %u %u fs %d\n", a, b, c, setfsuid(-1));
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

static void one(void)
{
	show("setuid", setuid(1000));
	show("back", setuid(0));
	show("seteuid 0", seteuid(0));
	show("setuid same", setuid(1000));
}
static void two(void)
{
	show("seteuid", seteuid(1000));
	show("setuid 2000", setuid(2000));
	show("seteuid 0", seteuid(0));
}
static void three(void)
{
	show("setresuid", setresuid(1, 2, 3));
	show("swap", setresuid(3, 1, 2));
	show("foreign", setresuid(4, -1, -1));
	show("setreuid", setreuid(1, 3));
	show("setreuid foreign", setreuid(9, -1));
	show("setreuid euid", setreuid(-1, 1));
}
static void four(void)
{
	show("setreuid(1000,0)", setreuid(1000, 0));
	show("setuid(5)", setuid(5));
}
static void five(void)
{
	setresuid(1000, 1000, 0);
	show("fsuid before", 0);
	printf("setfsuid %d\n", setfsuid(0));
	show("fsuid after", 0);
	printf("setfsuid foreign %d\n", setfsuid(77));
	show("fsuid after", 0);
}

int main(void)
{
	if (getuid())
		return 77;
	branch(one);
	branch(two);
	branch(three);
	branch(four);
	branch(five);
	return 0;
}
