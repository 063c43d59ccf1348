/* Jumps to each of the runtime's own syscall instructions. What the host's filter does not let through comes
 * back to our kernel like any other call, so the answers must be our kernel's: its ids, its name, its files.
 * And no call may reach what only the host has. */
#include "hostile.h"
#include <sys/utsname.h>

static uint64_t sites[64];
static int site_count, bad;

static void expect(const char *what, int site, long got, long want)
{
	if (got == want || got == -EPERM) /* served by our kernel, or refused by the host */
		return;
	printf("%s at site %d: %ld, not %ld\n", what, site, got, want);
	bad++;
}

/* Runs fn in a child, because what follows a syscall instruction may wreck the caller. Its exit status: 0 as
 * it should be, 1 not, or death. */
static int in_child(void (*fn)(int), int site)
{
	int status;
	pid_t p = fork();

	if (!p) {
		alarm(1);
		fn(site);
		_exit(bad != 0);
	}
	waitpid(p, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static void ids(int site)
{
	static const int numbers[] = {SYS_getpid, SYS_getppid, SYS_getpgrp, SYS_getuid};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		long want = syscall(numbers[i]), got;

		if (attack_call(sites[site], numbers[i], 0, 0, 0, 0, 0, 0, &got))
			expect("an id", site, got, want);
	}
}

static void name(int site)
{
	struct utsname ours, theirs;
	long ret;

	uname(&ours);
	memset(&theirs, 0, sizeof(theirs));
	if (attack_call(sites[site], SYS_uname, (long)&theirs, 0, 0, 0, 0, 0, &ret) && ret == 0)
		expect("uname", site, strcmp(ours.release, theirs.release), 0);
}

/* Calls that a hostile program would want from the host, with arguments that would work there. */
static void wanted(int site)
{
	long ret, pid = getpid();

	if (attack_call(sites[site], SYS_kill, 1, 0, 0, 0, 0, 0, &ret))
		expect("kill", site, ret, kill(1, 0) ? -errno : 0);
	if (attack_call(sites[site], SYS_ptrace, 16, 1, 0, 0, 0, 0, &ret))
		expect("ptrace attach of pid 1", site, ret >= 0 && pid != 1, 0);
	if (attack_call(sites[site], SYS_clone, SIGCHLD, 0, 0, 0, 0, 0, &ret))
		expect("clone that nobody ordered", site, ret >= 0 && kill((pid_t)ret, 0) < 0, 0);
	if (attack_call(sites[site], SYS_clone, 0x10000000 | SIGCHLD, 0, 0, 0, 0, 0, &ret))
		expect("clone with a new user namespace", site, ret > 0 && kill((pid_t)ret, 0) < 0, 0);
	if (attack_call(sites[site], SYS_bpf, 5, 0, 0, 0, 0, 0, &ret))
		expect("bpf", site, ret >= 0, 0);
	if (attack_call(sites[site], SYS_io_uring_setup, 8, (long)&ret, 0, 0, 0, 0, &ret))
		expect("io_uring", site, ret >= 0, 0);
	if (attack_call(sites[site], SYS_perf_event_open, 0, 0, -1, -1, 0, 0, &ret))
		expect("perf_event_open", site, ret >= 0, 0);
	if (attack_call(sites[site], SYS_userfaultfd, 0, 0, 0, 0, 0, 0, &ret))
		expect("userfaultfd", site, ret >= 0, 0);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	site_count = attack_sites(attack_base(), sites, 64);
	if (!site_count) {
		puts("no syscall instruction of the runtime found");
		return 2;
	}
	for (int i = 0; i < site_count; i++) {
		bad += in_child(ids, i);
		bad += in_child(name, i);
		bad += in_child(wanted, i);
	}
	return bad != 0;
}
