/* ARP by scripted packets: answers, probes, lies, and the states of a neighbour. */
#include <linux/neighbour.h>
#include <net/if_arp.h>

#include "ip4.h"

#include "netd/core/stack_priv.h"
#include "netd/ether/neigh.h"

/* ---- ARP ---- */

static void arp(uint16_t op, const uint8_t sha[6], uint32_t sip, const uint8_t tha[6], uint32_t tip)
{
	struct arp_pkt *a = (void *)(frame + 14);

	memset(frame, 0, 60);
	memcpy(frame, op == 1 ? (const uint8_t[6]){255, 255, 255, 255, 255, 255} : world_mac_a, 6);
	memcpy(frame + 6, sha, 6);
	put_be16(frame + 12, ETYPE_ARP);
	*a = (struct arp_pkt){be16(1), be16(0x800), 6, 4, be16(op), {0}, be32(sip), {0}, be32(tip)};
	memcpy(a->sha, sha, 6);
	memcpy(a->tha, tha, 6);
}

static const uint8_t evil_mac[6] = {2, 6, 6, 6, 6, 6}, none[6];

static struct neigh *neigh_of(const char *addr)
{
	struct ip_addr a = addr_of(addr);

	return neigh_find(w->ea, &a);
}

static struct frame *arp_sent(uint16_t op)
{
	struct frame *f;

	while ((f = capture_take(&w->cap[0]))) {
		if (f->data[12] == 8 && f->data[13] == 6 && get_be16(f->data + 20) == op)
			return f;
		free(f);
	}
	return NULL;
}

static void arp_answer(void **state)
{
	struct frame *f;

	arp(1, evil_mac, 0x0a000009, none, 0x0a000001);
	world_inject(w->ea, frame, 60);
	f = arp_sent(2);
	assert_non_null(f);
	assert_memory_equal(f->data, evil_mac, 6);
	assert_memory_equal(f->data + 22, world_mac_a, 6);
	free(f);
	/* Who asks for us we will speak with. */
	assert_non_null(neigh_of("10.0.0.9"));
	/* For somebody else: neither answer nor entry. */
	arp(1, evil_mac, 0x0a00000a, none, 0x0a000063);
	world_inject(w->ea, frame, 60);
	assert_null(arp_sent(2));
	assert_null(neigh_of("10.0.0.10"));
}

static void arp_probe(void **state)
{
	struct frame *f;

	arp(1, evil_mac, 0, none, 0x0a000001);
	world_inject(w->ea, frame, 60);
	f = arp_sent(2);
	assert_non_null(f);
	free(f);
}

static void arp_malformed(void **state)
{
	struct arp_pkt *a = (void *)(frame + 14);

	arp(1, evil_mac, 0x0a000009, none, 0x0a000001);
	world_inject(w->ea, frame, 14 + 27); /* cut */
	a->hln = 8;
	world_inject(w->ea, frame, 60);
	a->hln = 6;
	a->pln = 16;
	world_inject(w->ea, frame, 60);
	a->pln = 4;
	a->hrd = be16(6);
	world_inject(w->ea, frame, 60);
	a->hrd = be16(1);
	a->op = be16(9);
	world_inject(w->ea, frame, 60);
	arp(1, (const uint8_t[6]){0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 0x0a000009, none, 0x0a000001);
	world_inject(w->ea, frame, 60);
	arp(1, none, 0x0a000009, none, 0x0a000001);
	world_inject(w->ea, frame, 60);
	arp(1, evil_mac, 0xe0000001, none, 0x0a000001);
	world_inject(w->ea, frame, 60);
	arp(1, evil_mac, 0x7f000001, none, 0x0a000001);
	world_inject(w->ea, frame, 60);
	assert_null(arp_sent(2));
	assert_null(neigh_of("10.0.0.9"));
}

static void arp_spoof(void **state)
{
	struct neigh *n = neigh_of("10.0.0.2");

	/* An unasked answer about somebody unknown; a second answer right behind the first. */
	arp(2, evil_mac, 0x0a000009, world_mac_a, 0x0a000001);
	world_inject(w->ea, frame, 60);
	assert_null(neigh_of("10.0.0.9"));
	neigh_delete(n);
	box_send(srv, "10.0.0.2", 1, "x", 1);
	arp(2, world_mac_b, 0x0a000002, world_mac_a, 0x0a000001);
	world_inject(w->ea, frame, 60);
	arp(2, evil_mac, 0x0a000002, world_mac_a, 0x0a000001);
	world_inject(w->ea, frame, 60);
	assert_memory_equal(neigh_of("10.0.0.2")->mac, world_mac_b, 6);
	/* A permanent entry is the administrator's. */
	neigh_update(neigh_of("10.0.0.2"), world_mac_b, NUD_PERMANENT, NEIGH_ADMIN);
	world_pass(w, 10000);
	arp(2, evil_mac, 0x0a000002, world_mac_a, 0x0a000001);
	world_inject(w->ea, frame, 60);
	assert_memory_equal(neigh_of("10.0.0.2")->mac, world_mac_b, 6);
}

static void arp_conflict(void **state)
{
	struct frame *f;

	/* Somebody has our address: it is ours all the same, and we say so, but not at each of his words. */
	for (int i = 0; i < 5; i++) {
		arp(1, evil_mac, 0x0a000001, none, 0x0a000001);
		world_inject(w->ea, frame, 60);
	}
	assert_null(neigh_of("10.0.0.1"));
	f = arp_sent(1);
	assert_non_null(f);
	free(f);
	assert_null(arp_sent(1));
	udp("still here");
	send_frame();
	taken("still here");
}

static void arp_queue(void **state)
{
	unsigned n = 0;
	struct frame *f;

	neigh_delete(neigh_of("10.0.0.2"));
	for (int i = 0; i < 5; i++)
		box_send(srv, "10.0.0.2", 1, "wait", 4);
	arp(2, world_mac_b, 0x0a000002, world_mac_a, 0x0a000001);
	world_inject(w->ea, frame, 60);
	while ((f = capture_take(&w->cap[0]))) {
		n += f->data[13] == 0;
		free(f);
	}
	assert_int_equal(n, 5);
}

static void arp_unresolved(void **state)
{
	struct got *g;

	srv->s->opt.recverr = true;
	for (int i = 0; i < 300; i++)
		box_send(srv, "10.0.0.9", 1, "wait", 4);
	assert_int_equal(neigh_of("10.0.0.9")->queued, 101);
	world_pass(w, 4000);
	assert_int_equal(neigh_state(neigh_of("10.0.0.9")), NUD_FAILED);
	/* Each that waited: what we tell ourselves is not rationed. */
	assert_int_equal(srv->count, 101);
	g = box_take(srv);
	assert_int_equal(g->error.err, EHOSTUNREACH);
	free(g);
	nsock_take_error(srv->s);
}

static void arp_states(void **state)
{
	struct neigh *n = neigh_of("10.0.0.2");
	struct frame *f;

	assert_int_equal(neigh_state(n), NUD_REACHABLE);
	world_pass(w, 50000);
	assert_int_equal(neigh_state(n), NUD_STALE);
	/* Used: it gets its time to prove itself, then it is asked, then it is gone. */
	box_send(srv, "10.0.0.2", 1, "x", 1);
	assert_int_equal(neigh_state(n), NUD_DELAY);
	capture_clear(&w->cap[0]);
	world_pass(w, 5500);
	assert_int_equal(neigh_state(n), NUD_PROBE);
	f = arp_sent(1);
	assert_non_null(f);
	assert_memory_equal(f->data, world_mac_b, 6);
	free(f);
	world_pass(w, 5000);
	assert_int_equal(neigh_state(n), NUD_FAILED);
}

static void arp_scan(void **state)
{
	unsigned n = 0;

	/* Thousands who ask for us, each with another address: the table has an end, and who is in use stays. */
	neigh_update(neigh_of("10.0.0.2"), world_mac_b, NUD_PERMANENT, NEIGH_ADMIN);
	for (uint32_t i = 0; i < 5000; i++) {
		arp(1, evil_mac, 0x0a010000 + i, none, 0x0a000001);
		world_inject(w->ea, frame, 60);
	}
	for (struct neigh *x = neigh_next(w->a, AF_INET, NULL); x; x = neigh_next(w->a, AF_INET, x))
		n++;
	assert_in_range(n, 100, 1024);
	assert_non_null(neigh_of("10.0.0.2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(arp_answer), CASE(arp_probe), CASE(arp_malformed), CASE(arp_spoof), CASE(arp_conflict),
		CASE(arp_queue), CASE(arp_unresolved), CASE(arp_states), CASE(arp_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
