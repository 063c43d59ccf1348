/* The setuid bit over exec, and no_new_privs and scripts against it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void copy(const char *to)
{
	char buf[65536];
	int in = open("/proc/self/exe", O_RDONLY), out = open(to, O_CREAT | O_WRONLY | O_TRUNC, 0755);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		write(out, buf, n);
	close(in);
	close(out);
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/suidXXXXXX", path[64];
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (argc > 1) {
		getresuid(&r, &e, &s);
		getresgid(&rg, &eg, &sg);
		printf("%s: uid %u %u %u gid %u %u %u secure %lu dumpable %d\n", argv[1], r, e, s, rg, eg, sg,
		       getauxval(AT_SECURE), prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
		return 0;
	}
	if (getuid())
		return 77;
	mkdtemp(dir);
	chmod(dir, 0755);
	snprintf(path, sizeof(path), "%s/prog", dir);
	copy(path);
	for (int i = 0; i < 5; i++) {
		static const char *what[] = {"plain", "setuid", "setgid", "both", "no new privs"};

		chown(path, i == 3 ? 55 : 44, 66);
		chmod(path, i == 0 ? 0755 : i == 1 ? 04755 : i == 2 ? 02755 : 06755);
		fflush(stdout);
		if (!fork()) {
			setgid(1000);
			setuid(1000);
			if (i == 4)
				prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			execl(path, "prog", what[i], NULL);
			printf("exec: %s\n", strerror(errno));
			_exit(1);
		}
		wait(NULL);
	}
	unlink(path);
	rmdir(dir);
	return 0;
}
