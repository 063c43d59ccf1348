/* signalfd: reading signals, their details, poll and epoll, changing the set. */
#include "../say.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
static void show(int fd)
{
	struct signalfd_siginfo si[4];
	ssize_t n = read(fd, si, sizeof(si));

	if (n < 0) {
		printf("read: %s\n", strerrorname_np(errno));
		return;
	}
	for (int i = 0; i < n / (int)sizeof(si[0]); i++)
		printf("signo %u code %d pid %s uid %d int %d status %d\n", si[i].ssi_signo, si[i].ssi_code,
		       si[i].ssi_pid == (unsigned)getpid() ? "me" : si[i].ssi_pid ? "other" : "0",
		       si[i].ssi_uid == getuid(), si[i].ssi_int, si[i].ssi_status);
}
int main(void)
{
	struct epoll_event e = {.events = EPOLLIN}, ev;
	struct pollfd p;
	sigset_t set, other;
	int fd, ep;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	SAY(signalfd(-1, &set, 0x1234));
	SAY(signalfd(0, &set, 0));
	SAY(signalfd(99, &set, 0));
	fd = MUST(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
	ep = MUST(epoll_create1(0));
	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	show(fd);
	raise(SIGUSR1);
	p = (struct pollfd){fd, POLLIN, 0};
	SAY(poll(&p, 1, 0));
	SAY(epoll_wait(ep, &ev, 1, 0));
	show(fd);
	SAY(poll(&p, 1, 0));
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 42});
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 43});
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	show(fd);
	fflush(stdout);
	pid = MUST(fork());
	if (!pid)
		_exit(5);
	SAY(poll(&p, 1, 5000));
	show(fd);
	waitpid(pid, NULL, 0);
	SAY(read(fd, &ev, 8));
	sigemptyset(&other);
	sigaddset(&other, SIGUSR2);
	sigprocmask(SIG_BLOCK, &other, NULL);
	SAY(signalfd(fd, &other, 0) == fd);
	raise(SIGUSR1);
	show(fd);
	raise(SIGUSR2);
	show(fd);
	sigpending(&set);
	printf("%d %d\n", sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2));
	fcntl(fd, F_SETFL, 0);
	fflush(stdout);
	pid = MUST(fork());
	if (!pid) {
		sleep_ms(30);
		kill(getppid(), SIGUSR2);
		_exit(0);
	}
	show(fd);
	waitpid(pid, NULL, 0);
	return 0;
}
