/* The allow-lists: every entry has a reason and stands once, nothing that opens a way out is in any
 * list, and docs/security-filters.md says what the tables say. Prints the sizes.
 *
 * With SBX_WRITE_DOCS set the page is written instead of compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "common/base/util.h"
#include "common/confine/confine.h"

static const struct confine_policy *const policies[] = {&confine_sysd, &confine_memd, &confine_fsd,
							&confine_netd, &confine_launch};

static const char *name_of(int nr)
{
	static char buf[64];
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);

	snprintf(buf, sizeof(buf), "%s", name ? name : nr == 452 ? "fchmodat2" : "?");
	free(name);
	return buf;
}

static void sizes(void **state)
{
	const struct confine_options plain = {0}, all = {.terminal = true, .debug = true};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		printf("%-7s %3zu system calls", policies[i]->service, confine_count(policies[i], &plain));
		if (confine_count(policies[i], &all) != confine_count(policies[i], &plain))
			printf(", %zu with a terminal and debug options", confine_count(policies[i], &all));
		printf("\n");
		assert_in_range(confine_count(policies[i], &all), 10, 110);
	}
}

static bool same(const struct confine_call *a, const struct confine_call *b)
{
	return a->nr == b->nr && a->arg_count == b->arg_count && a->only == b->only &&
	       !memcmp(a->args, b->args, a->arg_count * sizeof(a->args[0]));
}

static void every_entry_has_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		const struct confine_policy *p = policies[i];

		for (size_t k = 0; k < p->call_count; k++) {
			assert_non_null(p->calls[k].why);
			assert_true(strlen(p->calls[k].why) > 3);
			for (size_t m = 0; m < k; m++)
				if (same(&p->calls[k], &p->calls[m]) && p->calls[k].nr != SYS_tgkill)
					fail_msg("%s: %s stands twice", p->service, name_of(p->calls[k].nr));
		}
	}
}

/* With --network=host netd, and nobody else, makes sockets; of the Internet families only. */
static bool for_the_hosts_network(const struct confine_policy *p, const struct confine_call *c)
{
	if (p != &confine_netd || c->only != 3)
		return false;
	return c->nr == SYS_bind || c->nr == SYS_connect ||
	       (c->nr == SYS_socket && c->arg_count == 1 && c->args[0].index == 0 &&
		(c->args[0].value == AF_INET || c->args[0].value == AF_INET6));
}

/* With --host-uds=open fsd, and nobody else, connects UNIX sockets. */
static bool for_the_hosts_sockets(const struct confine_policy *p, const struct confine_call *c)
{
	if (p != &confine_fsd || c->only != 4)
		return false;
	return c->nr == SYS_connect || (c->nr == SYS_socket && c->arg_count == 1 && c->args[0].index == 0 && c->args[0].value == AF_UNIX);
}

/* netd makes no sockets. Those that it is given for a name server over TCP are bound to the loopback interface of the
 * namespace, and an address of any other size than theirs is refused. */
static bool for_the_name_server(const struct confine_policy *p, const struct confine_call *c)
{
	return p == &confine_netd && c->nr == SYS_connect && c->arg_count == 1 && c->args[0].index == 2 &&
	       c->args[0].value == sizeof(struct sockaddr_in);
}

static void no_way_out(void **state)
{
	static const int never[] = {
		SYS_execve, SYS_execveat, SYS_fork, SYS_vfork, SYS_ptrace, SYS_mount, SYS_umount2,
		SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare, SYS_bpf, SYS_init_module,
		SYS_finit_module, SYS_kexec_load, SYS_open_by_handle_at, SYS_keyctl, SYS_add_key,
		SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_reboot, SYS_swapon,
		SYS_personality, SYS_capset, SYS_setuid, SYS_fsopen, SYS_move_mount, SYS_open_tree,
		SYS_pidfd_getfd, SYS_process_madvise, SYS_socket, SYS_bind, SYS_connect, SYS_modify_ldt,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		for (size_t k = 0; k < policies[i]->call_count; k++) {
			const struct confine_call *c = &policies[i]->calls[k];

			for (size_t n = 0; n < ARRAY_SIZE(never); n++)
				if (c->nr == never[n] && !for_the_hosts_network(policies[i], c) &&
				    !for_the_hosts_sockets(policies[i], c) && !for_the_name_server(policies[i], c))
					fail_msg("%s may call %s", policies[i]->service, name_of(c->nr));
			if ((c->nr == SYS_mmap || c->nr == SYS_mprotect) && c->arg_count == 0)
				fail_msg("%s may map code", policies[i]->service);
			/* a descriptor's ioctls are a world of their own: each is named */
			if (c->nr == SYS_ioctl && c->arg_count == 0)
				fail_msg("%s may make any ioctl", policies[i]->service);
		}
}

static int run_confined(const struct confine_policy *p, void (*fn)(void))
{
	const struct confine_options opt = {0};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (confine_apply(p, &opt) < 0)
			_exit(99);
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void nothing(void)
{
}

static void opens_a_file(void)
{
	syscall(SYS_open, "/etc/passwd", 0);
}

static void makes_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void makes_memory(void)
{
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		_exit(1);
}

static void filters_hold(void **state)
{
	(void)state;
#ifdef SBX_SANITIZED
	skip(); /* the sanitizers' runtime makes calls of its own */
#endif
	for (size_t i = 0; i < 4; i++) {
		int status = run_confined(policies[i], nothing);

		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		assert_int_equal(run_confined(policies[i], makes_memory), 0);
		status = run_confined(policies[i], opens_a_file);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
		status = run_confined(policies[i], makes_code);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	}
}

static void print_condition(FILE *f, const struct confine_call *c)
{
	for (unsigned i = 0; i < c->arg_count; i++) {
		fprintf(f, "%sargument %u", i ? ", " : " (", c->args[i].index + 1u);
		if (c->args[i].mask != UINT64_MAX && c->args[i].mask != 0xffffffff)
			fprintf(f, " & %#llx", (unsigned long long)c->args[i].mask);
		fprintf(f, " = %#llx", (unsigned long long)c->args[i].value);
	}
	if (c->arg_count)
		fputc(')', f);
}

static char *make_page(void)
{
	const struct confine_options plain = {0};
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs("# The system calls of each service\n\n"
	      "Made from common/confine/policy_*.c by tests/unit/common/test_confine.c; SBX_WRITE_DOCS=1 writes\n"
	      "it anew. Everything that is not listed kills the process. A condition compares an argument.\n", f);
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		const struct confine_policy *p = policies[i];

		fprintf(f, "\n## sbx-%s: %zu calls\n\n| call | why |\n|---|---|\n", p->service,
			confine_count(p, &plain));
		for (size_t k = 0; k < p->call_count; k++) {
			fprintf(f, "| %s", name_of(p->calls[k].nr));
			print_condition(f, &p->calls[k]);
			fprintf(f, " | %s%s |\n", p->calls[k].why,
				p->calls[k].only == 1 ? " (only with a terminal)"
				: p->calls[k].only == 2 ? " (only with debug options)"
				: p->calls[k].only == 3 ? " (only with --network=host)"
				: p->calls[k].only == 4 ? " (only with --host-uds=open)" : "");
		}
	}
	fclose(f);
	return text;
}

static void the_page_is_true(void **state)
{
	const char *path = SBX_SOURCE_DIR "/docs/security-filters.md";
	char *want = make_page(), *have;
	FILE *f = fopen(path, getenv("SBX_WRITE_DOCS") ? "w" : "r");
	size_t n;

	(void)state;
	assert_non_null(f);
	if (getenv("SBX_WRITE_DOCS")) {
		fputs(want, f);
	} else {
		have = calloc(1, 1 << 20);
		n = fread(have, 1, (1 << 20) - 1, f);
		have[n] = 0;
		assert_string_equal(have, want);
		free(have);
	}
	fclose(f);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(every_entry_has_a_reason),
		cmocka_unit_test(no_way_out),
		cmocka_unit_test(filters_hold),
		cmocka_unit_test(the_page_is_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
