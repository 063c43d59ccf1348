/* Orders and cached descriptors, without any process: what matches, what expires, what is bounded; and
 * the messages that bring them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "memd/memd.h"

static void prepare(struct memd *m)
{
	memset(m, 0, sizeof(*m));
	list_init(&m->procs);
	list_init(&m->map_orders);
	list_init(&m->fork_orders);
	for (size_t i = 0; i < PROC_HASH; i++) {
		list_init(&m->by_pid[i]);
		list_init(&m->by_id[i]);
	}
	for (size_t i = 0; i < OBJECT_HASH; i++)
		list_init(&m->objects[i]);
	slots_init(m);
	m->proc_fd = open("/proc", O_PATH | O_DIRECTORY);
	assert_true(m->proc_fd >= 0);
}

static unsigned open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_exact_match(void **state)
{
	static struct memd m;
	struct memd_msg msg = {.kind = MEMD_MAP, .args = {1, 2, 3, 4, 5, 6}};

	prepare(&m);
	struct proc *p = proc_new(&m, 100, PROC_GUEST), *q = proc_new(&m, 101, PROC_GUEST);

	assert_true(p->id != q->id);
	assert_ptr_equal(proc_by_id(&m, p->id), p);
	assert_ptr_equal(proc_by_pid(&m, 101), q);
	assert_null(proc_by_pid(&m, 102));
	assert_int_equal(order_add_map(&m, p, &msg, -1), 0);
	for (int i = 0; i < 6; i++) {
		uint64_t args[6];

		memcpy(args, msg.args, sizeof(args));
		args[i] ^= 1ull << 63;
		assert_null(order_find_map(p, args));
		args[i] ^= 1ull << 63 | 1;
		assert_null(order_find_map(p, args));
	}
	assert_null(order_find_map(q, msg.args));
	struct map_order *o = order_find_map(p, msg.args);

	assert_non_null(o);
	order_free_map(o);
	assert_null(order_find_map(p, msg.args));
	proc_free(&m, p);
	proc_free(&m, q);
	close(m.proc_fd);
}

static void test_bounds_and_expiry(void **state)
{
	static struct memd m;
	unsigned before;

	prepare(&m);
	before = open_fds();
	struct proc *p = proc_new(&m, 100, PROC_GUEST);

	for (uint64_t i = 0; i < 3 * MAP_ORDERS_PER_PROC; i++) {
		struct memd_msg msg = {.kind = MEMD_MAP, .args = {i}};

		assert_int_equal(order_add_map(&m, p, &msg, dup(0)), 0);
	}
	assert_int_equal(p->order_count, MAP_ORDERS_PER_PROC);
	assert_int_equal(open_fds(), before + MAP_ORDERS_PER_PROC);
	assert_true(order_expire(&m, mono_ns()) != UINT64_MAX);
	assert_int_equal(p->order_count, MAP_ORDERS_PER_PROC);
	assert_int_equal(order_expire(&m, mono_ns() + 2 * ORDER_TIMEOUT_NS), UINT64_MAX);
	assert_int_equal(p->order_count, 0);
	assert_int_equal(open_fds(), before);

	struct memd_msg msg = {.kind = MEMD_MAP};

	order_add_map(&m, p, &msg, dup(0));
	proc_free(&m, p);
	assert_int_equal(open_fds(), before);
	assert_true(list_empty(&m.map_orders));
	close(m.proc_fd);
}

static void test_forks(void **state)
{
	static struct memd m;

	prepare(&m);
	struct proc *p = proc_new(&m, 100, PROC_GUEST);

	assert_int_equal(order_add_fork(&m, p, 7, true, NULL), 0);
	assert_int_equal(order_add_fork(&m, p, 7, true, NULL), -EEXIST);
	assert_non_null(order_find_fork(&m, 7));
	assert_null(order_find_fork(&m, 8));
	for (uint32_t i = 8; m.fork_order_count < FORK_ORDERS_MAX; i++)
		assert_int_equal(order_add_fork(&m, p, i, true, NULL), 0);
	assert_int_equal(order_add_fork(&m, p, 1 << 20, true, NULL), -EAGAIN);
	order_expire(&m, mono_ns() + 2 * ORDER_TIMEOUT_NS);
	assert_int_equal(m.fork_order_count, 0);
	proc_free(&m, p);
	close(m.proc_fd);
}

static void test_objects(void **state)
{
	static struct memd m;
	int fd = memfd_create("x", 0), ro;
	char path[64];
	struct object *o;

	prepare(&m);
	assert_int_equal(object_add(&m, 9, dup(fd)), 0);
	o = object_find(&m, 9);
	assert_non_null(o);
	assert_int_equal(object_fd(&m, o, true), o->fd);
	ro = object_fd(&m, o, false);
	assert_true(ro >= 0 && ro != o->fd);
	assert_int_equal(fcntl(ro, F_GETFL) & O_ACCMODE, O_RDONLY);
	/* A descriptor that was passed read-only never becomes writable. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(object_add(&m, 10, open(path, O_RDONLY)), 0);
	o = object_find(&m, 10);
	assert_int_equal(object_fd(&m, o, true), -EACCES);
	assert_int_equal(object_fd(&m, o, false), o->fd);
	object_forget(&m, 9);
	assert_null(object_find(&m, 9));
	for (uint64_t i = 100; m.object_count < OBJECT_MAX; i++)
		assert_int_equal(object_add(&m, i, dup(fd)), 0);
	assert_int_equal(object_add(&m, 99999, dup(fd)), -ENOMEM);
	object_forget_all(&m);
	assert_int_equal(m.object_count, 0);
	close(fd);
	close(m.proc_fd);
}

static void test_messages(void **state)
{
	uint8_t buf[MEMD_MSG_MAX];
	struct memd_msg in = {.kind = MEMD_MAP, .id = 1ull << 40, .object = 3, .ticket = 4, .writable = true,
			      .args = {UINT64_MAX, 1, 2, 3, 4, 5}}, out = {.kind = 77};
	long n = memd_msg_encode(&in, buf, sizeof(buf));

	assert_true(n > 0);
	for (long i = 0; i < n; i++)
		assert_int_equal(memd_msg_decode(buf, (size_t)i, &out), -EPROTO);
	assert_int_equal(out.kind, 77);
	buf[n] = 0;
	assert_int_equal(memd_msg_decode(buf, (size_t)n + 1, &out), -EPROTO);
	assert_int_equal(memd_msg_decode(buf, (size_t)n, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	for (unsigned kind = 0; kind < 256; kind++) {
		in.kind = (uint8_t)kind;
		n = memd_msg_encode(&in, buf, sizeof(buf));
		if (n > 0)
			assert_int_equal(memd_msg_decode(buf, (size_t)n, &out), 0);
	}
	/* Any byte may be wrong. */
	in.kind = MEMD_FORKED;
	in.error = -5;
	n = memd_msg_encode(&in, buf, sizeof(buf));
	for (long i = 0; i < n; i++)
		for (int v = 0; v < 256; v++) {
			uint8_t copy[MEMD_MSG_MAX];

			memcpy(copy, buf, (size_t)n);
			copy[i] = (uint8_t)v;
			(void)memd_msg_decode(copy, (size_t)n, &out);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_match), cmocka_unit_test(test_bounds_and_expiry),
		cmocka_unit_test(test_forks),       cmocka_unit_test(test_objects),
		cmocka_unit_test(test_messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
