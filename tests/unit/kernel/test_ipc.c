/* System V semaphores and message queues through their system calls: sleepers, undo, removal. */
#include "tests/unit/kernel/harness.h"

#include <errno.h>
#include <string.h>
#include "services/sysd/abi/ipc.h"
#include "services/sysd/abi/time.h"
#include "services/sysd/core/errno.h"
#include "services/sysd/ipc/ipc_ns.h"
#include "services/sysd/task/nsproxy.h"

SYS_HANDLER(semget);
SYS_HANDLER(semop);
SYS_HANDLER(semtimedop);
SYS_HANDLER(semctl);
SYS_HANDLER(msgget);
SYS_HANDLER(msgsnd);
SYS_HANDLER(msgrcv);
SYS_HANDLER(msgctl);

static struct cred root = {.refs = 1000, .cap_effective = ~0ull}, nobody = {.refs = 1000, .euid = 99, .egid = 99};
static struct signal groups[4];
static struct nsproxy ns = {.refs = 1};
static char trace[64];

static void equip(struct task *t, int who)
{
	if (!ns.ipc)
		ns.ipc = ipc_ns_new();
	groups[who].pid = (uint32_t)who + 1;
	t->signal = &groups[who];
	t->cred = &root;
	t->ns = &ns;
}

static long op(struct task *t, long id, int num, int v, int flg)
{
	struct abi_sembuf sb = {(uint16_t)num, (int16_t)v, (int16_t)flg};

	return ktest_sys(t, sys_semop, (uint64_t)id, U(&sb), 1);
}

static long sem_id;

static void taker(struct task *t, void *arg)
{
	char *name = arg;

	equip(t, 1);
	assert_int_equal(op(t, sem_id, 0, -1, 0), 0);
	strncat(trace, name, 1);
}

static void removed(struct task *t, void *arg)
{
	equip(t, 2);
	assert_int_equal(op(t, sem_id, 1, -1, 0), -EIDRM);
	strcat(trace, "r");
}

static void sem_main(struct task *t, void *arg)
{
	struct abi_timespec ms = {0, 5000000};
	struct abi_sembuf two[2] = {{0, 1, 0}, {1, -1, ABI_IPC_NOWAIT}};
	struct abi_sembuf wait = {1, -1, 0};

	equip(t, 0);
	sem_id = ktest_sys(t, sys_semget, ABI_IPC_PRIVATE, 2, 0600);
	assert_true(sem_id >= 0);
	ktest_spawn(taker, "a");
	ktest_spawn(taker, "b");
	ktest_spawn(removed, NULL);
	sched_yield_strand();
	assert_int_equal(ktest_sys(t, sys_semctl, (uint64_t)sem_id, 0, ABI_GETNCNT, 0), 2);
	/* all or nothing */
	assert_int_equal(ktest_sys(t, sys_semop, (uint64_t)sem_id, U(two), 2), -EAGAIN);
	assert_int_equal(ktest_sys(t, sys_semctl, (uint64_t)sem_id, 0, ABI_GETVAL, 0), 0);
	op(t, sem_id, 0, 1, 0);
	sched_yield_strand();
	assert_string_equal(trace, "a");
	op(t, sem_id, 0, 1, 0);
	sched_yield_strand();
	assert_string_equal(trace, "ab");
	assert_int_equal(ktest_sys(t, sys_semtimedop, (uint64_t)sem_id, U(&wait), 1, U(&ms)), -EAGAIN);
	/* undo of a group that ends */
	assert_int_equal(op(t, sem_id, 0, 5, ABI_SEM_UNDO), 0);
	sysvsem_exit(&groups[0]);
	assert_int_equal(ktest_sys(t, sys_semctl, (uint64_t)sem_id, 0, ABI_GETVAL, 0), 0);
	assert_int_equal(op(t, sem_id, 0, 32767, 0), 0);
	assert_int_equal(op(t, sem_id, 0, 1, 0), -ERANGE);
	t->cred = &nobody;
	assert_int_equal(op(t, sem_id, 0, 1, 0), -EACCES);
	assert_int_equal(ktest_sys(t, sys_semctl, (uint64_t)sem_id, 0, ABI_IPC_RMID, 0), -EPERM);
	t->cred = &root;
	assert_int_equal(ktest_sys(t, sys_semctl, (uint64_t)sem_id, 0, ABI_IPC_RMID, 0), 0);
	sched_yield_strand();
	assert_string_equal(trace, "abr");
	assert_int_equal(op(t, sem_id, 0, 1, 0), -EINVAL);
	/* a new set in the same slot has another id */
	assert_int_not_equal(ktest_sys(t, sys_semget, ABI_IPC_PRIVATE, 2, 0600), sem_id);
}

static long msg_id;

static void receiver(struct task *t, void *arg)
{
	struct {
		long type;
		char text[16];
	} m;

	equip(t, 1);
	assert_int_equal(ktest_sys(t, sys_msgrcv, (uint64_t)msg_id, U(&m), 16, 2, 0), 3);
	assert_int_equal(m.type, 2);
	assert_memory_equal(m.text, "two", 3);
}

static void msg_main(struct task *t, void *arg)
{
	struct {
		long type;
		char text[16];
	} m = {1, "one"};

	equip(t, 0);
	msg_id = ktest_sys(t, sys_msgget, 77, ABI_IPC_CREAT | 0600);
	assert_int_equal(ktest_sys(t, sys_msgget, 77, 0), msg_id);
	assert_int_equal(ktest_sys(t, sys_msgget, 77, ABI_IPC_CREAT | ABI_IPC_EXCL), -EEXIST);
	ktest_spawn(receiver, NULL);
	sched_yield_strand();
	assert_int_equal(ktest_sys(t, sys_msgsnd, (uint64_t)msg_id, U(&m), 3, 0), 0);
	m.type = 2;
	strcpy(m.text, "two");
	assert_int_equal(ktest_sys(t, sys_msgsnd, (uint64_t)msg_id, U(&m), 3, 0), 0);
	sched_yield_strand();
	assert_int_equal(ktest_sys(t, sys_msgrcv, (uint64_t)msg_id, U(&m), 2, 0, ABI_IPC_NOWAIT), -E2BIG);
	assert_int_equal(ktest_sys(t, sys_msgrcv, (uint64_t)msg_id, U(&m), 16, 0, ABI_IPC_NOWAIT), 3);
	assert_memory_equal(m.text, "one", 3);
	assert_int_equal(ktest_sys(t, sys_msgrcv, (uint64_t)msg_id, U(&m), 16, 0, ABI_IPC_NOWAIT), -ENOMSG);
	assert_int_equal(ktest_sys(t, sys_msgsnd, (uint64_t)msg_id, 8, 3, 0), -EFAULT);
	assert_int_equal(ktest_sys(t, sys_msgctl, (uint64_t)msg_id, ABI_IPC_RMID, 0), 0);
}

static void test_sem(void **state)
{
	ktest_call(sem_main, NULL);
}

static void test_msg(void **state)
{
	ktest_call(msg_main, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sem), cmocka_unit_test(test_msg)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
