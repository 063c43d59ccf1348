/* The vdso where guest processes are to have it: found, and moved, as on kernels that map it above the stack. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "memd/vdso.h"

static struct vdso find(void)
{
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct vdso v;

	assert_int_equal(vdso_find(proc, &v), 0);
	close(proc);
	return v;
}

static void finds_it(void **state)
{
	struct vdso v = find();
	int here;

	assert_int_equal(v.parts[v.count - 1].at, getauxval(AT_SYSINFO_EHDR));
	assert_true(v.start < v.text && v.text < v.end);
	/* where the stacks are it does not stay */
	assert_true(v.end <= (uint64_t)&here);
	vdso_release(&v);
}

/* In a child: 0 when it is at its new place, and nothing at the old one. */
static int moved_well(struct vdso *v)
{
	uint64_t old = v->parts[v->count - 1].at;
	unsigned char in_core;
	int r = vdso_move(v);

	if (r == -EPERM)
		return 77; /* a kernel that seals it */
	if (r < 0 || memcmp((void *)v->text, "\177ELF", 4) != 0)
		return 1;
	return syscall(SYS_mincore, old, 4096, &in_core) < 0 && errno == ENOMEM ? 0 : 2;
}

static void moves_it(void **state)
{
	struct vdso v = find();
	int status;
	pid_t pid;

	if (!v.place)
		assert_int_equal(vdso_reserve(&v), 0);
	assert_true(v.start == (uint64_t)v.place && v.text < v.end);
	pid = fork();
	if (pid == 0)
		_exit(moved_well(&v));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	vdso_release(&v);
	assert_null(v.place);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(finds_it), cmocka_unit_test(moves_it)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
