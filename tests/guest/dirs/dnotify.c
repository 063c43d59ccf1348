/* fcntl(F_NOTIFY): a signal for what happens in a directory, once or each time. */
#include "fs.h"

static volatile int count;
static void on(int signo)
{
	(void)signo;
	count++;
}

int main(void)
{
	int d, f;

	fs_enter();
	mkdir("d", 0755);
	fs_make("file", "");
	signal(SIGUSR1, on);
	d = open("d", O_RDONLY);
	f = open("file", O_RDONLY);
	T(fcntl(d, F_SETSIG, SIGUSR1));
	T(fcntl(f, F_NOTIFY, DN_CREATE));
	T(fcntl(d, F_NOTIFY, DN_MULTISHOT));
	T(fcntl(d, F_NOTIFY, DN_CREATE));
	fs_make("d/a", "");
	printf("%i\n", count);
	fs_make("d/b", "");
	printf("%i\n", count);
	T(fcntl(d, F_NOTIFY, DN_DELETE | DN_RENAME | DN_MULTISHOT));
	rename("d/a", "d/c");
	printf("%i\n", count > 1);
	count = 0;
	unlink("d/c");
	printf("%i\n", count);
	mkdir("d/sub", 0755);
	printf("%i\n", count);
	rmdir("d/sub");
	printf("%i\n", count);
	T(fcntl(d, F_NOTIFY, 0));
	unlink("d/b");
	printf("%i\n", count);
	T(fcntl(d, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	close(d);
	fs_make("d/e", "");
	printf("%i\n", count);
	return 0;
}
