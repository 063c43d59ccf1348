/* Control messages: what is encoded comes back, every truncation and every flipped byte is survived,
 * and the endpoint carries them both ways and refuses strangers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "common/ipc/endpoint.h"
#include "common/ipc/msg_ctl.h"

static struct ctl_msg sample(enum ctl_type type)
{
	struct ctl_msg m = {.type = type, .id = 77, .pid = 3, .value = -ENOENT, .flag = true, .rows = 24,
			    .cols = 80, .text = strdup("why")};

	if (type == CTL_CONFIGURE) {
		m.config = calloc(1, sizeof(*m.config));
		m.config->id = strdup("box");
		m.config->hostname = strdup("host");
		m.config->mount_count = 2;
		m.config->mounts = calloc(2, sizeof(*m.config->mounts));
		for (int i = 0; i < 2; i++)
			m.config->mounts[i] = (struct ctl_mount){
				.target = strdup(i ? "/proc" : "/"), .type = strdup(i ? "proc" : "gofer"),
				.source = strdup("x"), .data = i ? NULL : strdup("a=b"), .index = i - 1,
				.flags = 6, .overlay = i == 0};
		ctl_strv_add(&m.config->masked, "/proc/kcore");
		ctl_strv_add(&m.config->sysctl, "kernel.x=1");
		m.config->network = 1;
		m.config->device_count = 1;
		m.config->devices = calloc(1, sizeof(struct ctl_device));
		m.config->devices[0] = (struct ctl_device){strdup("/dev/x"), 020666, 1, 2, 3, 4};
		m.config->limits = (struct ctl_limits){1, 2, 3, 4, 5, 6};
	} else if (type == CTL_START || type == CTL_EXEC) {
		m.process = calloc(1, sizeof(*m.process));
		ctl_strv_add(&m.process->args, "/bin/sh");
		ctl_strv_add(&m.process->args, "");
		ctl_strv_add(&m.process->env, "A=b");
		m.process->cwd = strdup("/");
		m.process->uid = 1000;
		m.process->group_count = 2;
		m.process->groups = calloc(2, sizeof(uint32_t));
		m.process->groups[1] = 27;
		m.process->cap_bounding = UINT64_MAX;
		m.process->rlimit_count = 1;
		m.process->rlimits = calloc(1, sizeof(*m.process->rlimits));
		m.process->rlimits[0] = (struct ctl_rlimit){7, 1024, UINT64_MAX};
		m.process->stdio_count = 3;
		m.process->stdio = calloc(3, sizeof(uint64_t));
		m.process->stdio[2] = UINT64_MAX;
		m.process->seccomp_size = 16;
		m.process->seccomp = calloc(2, 8);
		m.process->seccomp[3] = 9;
	} else if (type == CTL_UPDATE) {
		m.limits = calloc(1, sizeof(*m.limits));
		m.limits->pids = 7;
	}
	return m;
}

static void round_trip(void **state)
{
	static const enum ctl_type types[] = {CTL_CONFIGURE, CTL_START, CTL_EXEC, CTL_UPDATE, CTL_REPLY, CTL_WAIT};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct ctl_msg m = sample(types[i]), back;
		uint8_t *buf, *again;
		long size = ctl_encode(&m, &buf), size2;

		assert_true(size > 0);
		assert_int_equal(ctl_decode(buf, (size_t)size, &back), 0);
		assert_int_equal(back.id, 77);
		assert_string_equal(back.text, "why");
		size2 = ctl_encode(&back, &again);
		assert_int_equal(size, size2);
		assert_memory_equal(buf, again, (size_t)size);
		ctl_msg_done(&back);
		ctl_msg_done(&m);
		free(buf);
		free(again);
	}
}

static void hostile_input(void **state)
{
	struct ctl_msg m[2] = {sample(CTL_CONFIGURE), sample(CTL_EXEC)}, back;

	(void)state;
	for (int k = 0; k < 2; k++) {
		uint8_t *buf, *copy;
		long size = ctl_encode(&m[k], &buf);

		for (long cut = 0; cut < size; cut++) {
			copy = malloc((size_t)cut + 1);
			memcpy(copy, buf, (size_t)cut);
			assert_int_equal(ctl_decode(copy, (size_t)cut, &back), -EPROTO);
			free(copy);
		}
		for (long at = 0; at < size; at++) {
			for (int bit = 0; bit < 8; bit++) {
				buf[at] ^= (uint8_t)(1 << bit);
				if (ctl_decode(buf, (size_t)size, &back) == 0)
					ctl_msg_done(&back);
				buf[at] ^= (uint8_t)(1 << bit);
			}
		}
		free(buf);
		ctl_msg_done(&m[k]);
	}
	assert_int_equal(ctl_decode("", 0, &back), -EPROTO);
}

struct box {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char got[64];
	int gone;
};

static void on_recv(void *arg, const void *msg, size_t size)
{
	struct box *b = arg;

	pthread_mutex_lock(&b->lock);
	snprintf(b->got, sizeof(b->got), "%.*s", (int)size, (const char *)msg);
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

static void on_gone(void *arg)
{
	struct box *b = arg;

	pthread_mutex_lock(&b->lock);
	b->gone = 1;
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

static void wait_got(struct box *b, const char *want)
{
	pthread_mutex_lock(&b->lock);
	while (strcmp(b->got, want) != 0)
		pthread_cond_wait(&b->changed, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

static void endpoints(void **state)
{
	struct box a = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}, b = a;
	struct endpoint_ops ops_a = {on_recv, on_gone, &a}, ops_b = {on_recv, on_gone, &b};
	struct endpoint *ea, *eb;
	char path[64], big[200];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/sbx-test-ctl.%d", getpid());
	assert_int_equal(endpoint_listen(path, getuid(), &ops_a, &ea), 0);
	assert_int_equal(endpoint_dial(path, (uid_t)-1, &ops_b, &eb), 0);
	assert_int_equal(endpoint_send(eb, "up", 2), 0);
	wait_got(&a, "up");
	assert_int_equal(endpoint_send(ea, "down", 4), 0);
	wait_got(&b, "down");
	endpoint_close(eb);
	pthread_mutex_lock(&a.lock);
	while (!a.gone)
		pthread_cond_wait(&a.changed, &a.lock);
	pthread_mutex_unlock(&a.lock);
	endpoint_close(ea);

	a.gone = 0;
	assert_int_equal(endpoint_listen(path, getuid() + 1, &ops_a, &ea), 0);
	assert_int_equal(endpoint_dial(path, (uid_t)-1, &ops_b, &eb), 0);
	endpoint_send(eb, "never", 5);
	usleep(100000);
	assert_string_not_equal(a.got, "never");
	endpoint_close(eb);
	endpoint_close(ea);
	assert_int_equal(endpoint_dial("/nowhere/at-all", (uid_t)-1, &ops_b, &eb), -ECONNREFUSED);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	assert_int_equal(endpoint_dial(big, (uid_t)-1, &ops_b, &eb), -ENAMETOOLONG);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(hostile_input),
		cmocka_unit_test(endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
