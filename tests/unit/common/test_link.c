/* The link configuration: what is encoded comes back, every truncation and every flipped byte is survived, and
 * what is inconsistent is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "common/ipc/msg_link.h"

static struct link_ip v4(uint8_t last)
{
	return (struct link_ip){.family = AF_INET, .bytes = {10, 1, 2, last}};
}

static struct link_ip v6(uint8_t last)
{
	return (struct link_ip){.family = AF_INET6, .bytes = {0xfd, 1, [15] = last}};
}

static struct link_if links[2];
static struct link_addr addrs[2];
static struct link_route routes[2];
static struct link_rule rules[1];
static struct link_neigh neighs[1];

static struct link_config sample(void)
{
	for (int i = 0; i < 2; i++)
		links[i] = (struct link_if){.index = 7 + (uint32_t)i, .name = "eth0", .type = ARPHRD_ETHER,
					    .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500, .flags = 0x1003, .txqlen = 1000,
					    .offload = true};
	links[1].name[3] = '1';
	addrs[0] = (struct link_addr){.index = 7, .addr = v4(2), .broadcast = v4(255), .prefix = 24, .flags = 0x80,
				      .label = "eth0", .preferred_s = UINT32_MAX, .valid_s = UINT32_MAX};
	addrs[1] = (struct link_addr){.index = 8, .addr = v6(2), .prefix = 64, .flags = 0x80, .preferred_s = 10,
				      .valid_s = 20};
	routes[0] = (struct link_route){.dst = {.family = AF_INET}, .gateway = v4(1), .protocol = 3, .type = 1,
					.table = 254, .oif = 7, .metric = 100};
	routes[1] = (struct link_route){.dst = v6(0), .dst_len = 64, .prefsrc = v6(2), .type = 1, .table = 254,
					.oif = 8, .mtu = 1400};
	rules[0] = (struct link_rule){.family = AF_INET, .action = 1, .priority = 32766, .table = 254};
	neighs[0] = (struct link_neigh){.index = 7, .addr = v4(1), .mac = {2, 0, 0, 0, 0, 2}, .state = 0x80};
	return (struct link_config){.links = links, .addrs = addrs, .routes = routes, .rules = rules,
				    .neighs = neighs, .link_count = 2, .addr_count = 2, .route_count = 2,
				    .rule_count = 1, .neigh_count = 1,
				    .resolver = {.family = AF_INET, .bytes = {127, 0, 0, 11}}};
}

static void round_trip(void **state)
{
	struct link_config c = sample(), d;
	uint8_t *buf, *again;
	long size = link_config_encode(&c, &buf), size2;

	(void)state;
	assert_true(size > 0);
	assert_int_equal(link_config_decode(buf, (size_t)size, &d), 0);
	assert_int_equal(d.link_count, 2);
	assert_memory_equal(&d.links[1], &links[1], sizeof(links[1]));
	assert_string_equal(d.addrs[0].label, "eth0");
	assert_int_equal(d.addrs[1].valid_s, 20);
	assert_int_equal(d.routes[1].mtu, 1400);
	assert_int_equal(d.neighs[0].state, 0x80);
	assert_int_equal(d.resolver.bytes[3], 11);
	size2 = link_config_encode(&d, &again);
	assert_int_equal(size2, size);
	assert_memory_equal(buf, again, (size_t)size);
	link_config_done(&d);
	free(buf);
	free(again);
}

static void refused(struct link_config *c)
{
	struct link_config d;
	uint8_t *buf;
	long size = link_config_encode(c, &buf);

	assert_true(size > 0);
	assert_int_equal(link_config_decode(buf, (size_t)size, &d), -EPROTO);
	free(buf);
}

static void inconsistent(void **state)
{
	struct link_config c;

	(void)state;
	c = sample(), links[1].index = 7, refused(&c);
	c = sample(), links[1].index = 1, refused(&c);
	c = sample(), strcpy(links[1].name, "eth0"), refused(&c);
	c = sample(), strcpy(links[1].name, "a/b"), refused(&c);
	c = sample(), strcpy(links[1].name, ".."), refused(&c);
	c = sample(), links[1].name[0] = 0, refused(&c);
	c = sample(), links[0].mtu = 60, refused(&c);
	c = sample(), links[0].type = 1234, refused(&c);
	c = sample(), addrs[0].index = 9, refused(&c);
	c = sample(), addrs[0].prefix = 33, refused(&c);
	c = sample(), addrs[0].peer = v6(1), refused(&c);
	c = sample(), routes[0].oif = 9, refused(&c);
	c = sample(), routes[0].dst_len = 33, refused(&c);
	c = sample(), routes[0].dst.family = 0, refused(&c);
	c = sample(), rules[0].src_len = 8, refused(&c);
	c = sample(), rules[0].family = 7, refused(&c);
	c = sample(), neighs[0].index = 1, refused(&c);
	c = sample(), c.none = true, refused(&c);
	c = sample(), c.link_count = 65;
	assert_int_equal(link_config_encode(&c, NULL), -E2BIG);
}

static void mangled(void **state)
{
	struct link_config c = sample(), d;
	uint8_t *buf;
	long size = link_config_encode(&c, &buf);

	(void)state;
	for (long i = 0; i < size; i++) {
		uint8_t *cut = malloc((size_t)i + 1);

		memcpy(cut, buf, (size_t)i);
		assert_true(link_config_decode(cut, (size_t)i, &d) < 0);
		free(cut);
		for (int bit = 0; bit < 8; bit++) {
			buf[i] ^= (uint8_t)(1 << bit);
			if (link_config_decode(buf, (size_t)size, &d) == 0)
				link_config_done(&d);
			buf[i] ^= (uint8_t)(1 << bit);
		}
	}
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(inconsistent),
		cmocka_unit_test(mangled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
