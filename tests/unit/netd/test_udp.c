/* UDP over loopback and over a wire. */
#include "world.h"

static void loopback(void **state)
{
	struct world *w = world_new(false);
	struct box *s = box_bound(w->a, "127.0.0.1", 53), *c = box_udp(w->a, AF_INET);
	struct nsock_name n = name_of("127.0.0.1", 53), got;

	assert_int_equal(box_send(c, "127.0.0.1", 53, "hello", 5), 5);
	world_run(w);
	box_expect(s, "hello", 5, "127.0.0.1");
	assert_int_equal(c->s->ops->connect(c->s, &n), 0);
	assert_int_equal(c->s->ops->getname(c->s, true, &got), 0);
	assert_int_equal(got.port, htons(53));
	assert_int_equal(box_send(c, NULL, 0, "again", 5), 5);
	world_run(w);
	box_expect(s, "again", 5, "127.0.0.1");
	/* Nobody there: the connected sender hears of it. */
	box_free(s);
	assert_int_equal(box_send(c, NULL, 0, "x", 1), 1);
	world_run(w);
	assert_int_equal(nsock_take_error(c->s), ECONNREFUSED);
	box_free(c);
	world_free(w);
}

static void wire(void **state)
{
	struct world *w = world_new(true);
	struct box *s = box_bound(w->b, "0.0.0.0", 7), *c = box_udp(w->a, AF_INET);

	assert_int_equal(box_send(c, "10.0.0.2", 7, "over the wire", 13), 13);
	world_run(w);
	box_expect(s, "over the wire", 13, "10.0.0.1");
	box_free(s);
	box_free(c);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback),
		cmocka_unit_test(wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
