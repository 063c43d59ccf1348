/* --network=host: sockets of the host's kernel behind struct nsock. A listener that listens no more, an owner that
 * refuses connections, ends that go while they have something to say: none of it keeps netd from the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/util.h"
#include "netd/core/stack.h"
#include "netd/host/host.h"
#include "netd/link/link.h"

static struct netstack *st;
static struct link_set set;
static struct link_source *source;
static struct host_net *host;
static unsigned refused, done;

static uint64_t env_time(void *arg)
{
	return 1000000000;
}

static void env_random(void *arg, void *p, size_t size)
{
	memset(p, 7, size);
}

static const struct netstack_env env = {env_time, env_time, env_random, NULL};

static void *up_adopt(struct nsock *listener, struct nsock *child, struct bytering **tx, struct bytering **rx)
{
	refused++;
	return NULL;
}

static void up_done(struct nsock *s)
{
	done++;
}

static const struct nsock_up up = {.adopt = up_adopt, .done = up_done};

static int setup(void **state)
{
	refused = done = 0;
	st = netstack_new(&env);
	assert_non_null(st);
	list_init(&set.sources);
	set.st = st;
	assert_int_equal(host_net_new(&set, &host), 0);
	source = LIST_FIRST(&set.sources, struct link_source, node);
	alarm(20); /* a round that never ends */
	return 0;
}

static int teardown(void **state)
{
	alarm(0);
	list_del(&source->node);
	source->free(source);
	netstack_free(st);
	return 0;
}

static void rounds(void)
{
	for (int i = 0; i < 20; i++) {
		source->rx(source, 64);
		usleep(1000);
	}
}

static struct nsock *listener(void)
{
	struct nsock_name name = {.addr = ip_addr_v4(htonl(INADDR_LOOPBACK))};
	struct nsock *s;

	assert_int_equal(host_sock_create(host, st, AF_INET, SOCK_STREAM, 0, &up, NULL, &s), 0);
	assert_int_equal(s->ops->bind(s, &name), 0);
	assert_int_equal(s->ops->listen(s, 4), 0);
	assert_int_not_equal(s->local.port, 0);
	return s;
}

static int call(const struct nsock *s)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = s->local.port, .sin_addr.s_addr = s->local.addr.v4};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

static void test_refused(void **state)
{
	struct nsock *s = listener();
	int fd = call(s);
	char c;

	rounds();
	assert_int_equal(refused, 1);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	close(fd);
	nsock_close(s, false);
	assert_int_equal(done, 1);
}

static void test_listens_no_more(void **state)
{
	struct nsock *s = listener();
	int fd = call(s);

	assert_int_equal(s->ops->shutdown(s, true, false), 0);
	rounds();
	assert_int_equal(s->ops->poll(s) & NSOCK_IN, 0);
	close(fd);
	nsock_close(s, false);
	assert_int_equal(done, 1);
}

static void test_no_raw_sockets(void **state)
{
	struct nsock *s;

	assert_int_equal(host_sock_create(host, st, AF_INET, SOCK_RAW, IPPROTO_ICMP, &up, NULL, &s), -EPERM);
}

static void test_options_of_a_table(void **state)
{
	struct nsock *s = listener();
	uint32_t size = sizeof(int);
	int value = 1;

	assert_int_equal(s->ops->setopt(s, IPPROTO_TCP, 1 /* TCP_NODELAY */, &value, sizeof(value)), 0);
	value = 0;
	assert_int_equal(s->ops->getopt(s, IPPROTO_TCP, 1, &value, &size), 0);
	assert_int_equal(value, 1);
	/* a BPF program, by descriptor; a mark; the queue of a fast open */
	assert_int_equal(s->ops->setopt(s, SOL_SOCKET, SO_ATTACH_BPF, &value, sizeof(value)), -ENOPROTOOPT);
	assert_int_equal(s->ops->setopt(s, SOL_SOCKET, SO_MARK, &value, sizeof(value)), -ENOPROTOOPT);
	assert_int_equal(s->ops->setopt(s, IPPROTO_TCP, 23, &value, sizeof(value)), -ENOPROTOOPT);
	nsock_close(s, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listens_no_more, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_raw_sockets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_options_of_a_table, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
