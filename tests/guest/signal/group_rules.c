/* Who may be signalled together with others: by the group of a pidfd, and by the owner of a file. Each member of the group
 * is asked for, not the one that was named; and it is who set the owner that counts, not who opened the file. */
#include "../say.h"
#include <sys/syscall.h>
#include <sys/socket.h>

#define PROCESS_GROUP 4 /* PIDFD_SIGNAL_PROCESS_GROUP */
#define NOBODY 65534

static int ready[2], go[2];

/* A process of this user in a group; 0: in one of its own. It does `fn` when it is told to. */
static pid_t member(pid_t group, uid_t uid, void (*fn)(pid_t group))
{
	pid_t p = MUST(fork());

	if (p)
		return p;
	MUST(setpgid(0, group));
	if (uid)
		MUST(setresuid(uid, uid, uid));
	write(ready[1], "r", 1);
	if (fn) {
		char c;

		MUST(read(go[0], &c, 1));
		fn(group);
	}
	for (;;)
		pause();
}

static void wait_ready(void)
{
	char c;

	MUST(read(ready[0], &c, 1));
}

static void start(void)
{
	MUST(write(go[1], "g", 1));
}

static const char *fate(pid_t p)
{
	static char text[2][32];
	static int n;
	char *s = text[n++ & 1];
	int status;

	for (int i = 0; i < 30; i++) {
		if (waitpid(p, &status, WNOHANG) == p) {
			snprintf(s, sizeof(text[0]), WIFSIGNALED(status) ? "signal %d" : "status %d",
				 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
			return s;
		}
		usleep(10000);
	}
	kill(p, SIGTERM);
	waitpid(p, &status, 0);
	return "lives";
}

static void by_pidfd(pid_t group)
{
	int fd = (int)syscall(SYS_pidfd_open, group ? group : getpid(), 0);

	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, PROCESS_GROUP) < 0)
		_exit(errno);
}

static int shared[2];

static void aim(int fd, pid_t owner)
{
	if (fcntl(fd, F_SETOWN, owner) < 0 || fcntl(fd, F_SETSIG, SIGKILL) < 0 || fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK) < 0)
		_exit(errno);
	write(shared[1], "x", 1);
}

static void by_owned_file(pid_t group)
{
	aim(shared[0], -group);
}

/* Of a file that root opened. */
static void by_inherited_file(pid_t root)
{
	aim(shared[0], root);
}

/* leads: nobody's process made the group. */
static void round_of(const char *what, void (*fn)(pid_t group), int leads)
{
	pid_t root, other;

	MUST(pipe2(shared, O_NONBLOCK));
	if (leads) {
		other = member(0, NOBODY, fn);
		wait_ready();
		root = member(other, 0, NULL);
		wait_ready();
	} else {
		root = member(0, 0, NULL);
		wait_ready();
		other = member(root, NOBODY, fn);
		wait_ready();
	}
	start();
	printf("%s: nobody's %s,", what, fate(other));
	printf(" root's %s\n", fate(root));
	close(shared[0]);
	close(shared[1]);
}

int main(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (syscall(SYS_pidfd_send_signal, fd, 0, NULL, PROCESS_GROUP) < 0 && errno == EINVAL)
		return 77; /* before Linux 6.9 */
	MUST(pipe(ready));
	MUST(pipe(go));
	round_of("the group of a pidfd", by_pidfd, 1);
	round_of("another one's group of a pidfd", by_pidfd, 0);
	round_of("a group that owns a file", by_owned_file, 0);
	round_of("a process that owns an inherited file", by_inherited_file, 0);
	return 0;
}
