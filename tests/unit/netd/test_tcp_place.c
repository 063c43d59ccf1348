/* Frames whose payload is read straight to where the stack wants it (netif_place). The bulk tests do so with every other
 * frame of the wire; here is what has a place and what has none, and what happens to a frame that comes otherwise. */
#include "rig.h"

#define HEADERS (14 + 20 + 32)

struct placed {
	struct world *w;
	struct sbox *l, *c, *s;
	struct frame *f;         /* the first 4000 bytes, which did not arrive */
};

static struct placed setup_pair(bool v6)
{
	struct placed t = {.w = world_new_ex(9000, NETIF_F_CSUM | NETIF_F_TSO, true)};
	struct capture *cap;

	sbox_tx_size = sbox_rx_size = 65536;
	t.l = sbox_listen(t.w->b, v6 ? "::" : "0.0.0.0", 80, 5);
	t.c = sbox_new(t.w->a, v6 ? AF_INET6 : AF_INET);
	assert_int_equal(sbox_connect(t.c, v6 ? "fd00::2" : "10.0.0.2", 80), -EINPROGRESS);
	for (int i = 0; i < 5000 && !t.s; i++) {
		world_pass(t.w, 1);
		t.s = sbox_accept(t.l);
	}
	assert_non_null(t.s);
	cap = world_capture(t.w, 0, true);
	assert_int_equal(sbox_pattern(t.c, 0, 4000), 4000);
	world_run(t.w);
	t.f = capture_take(cap);
	assert_non_null(t.f);
	assert_int_equal(t.f->size, HEADERS + 4000 + (v6 ? 20 : 0));
	return t;
}

static void done(struct placed *t)
{
	free(t->f);
	sbox_close(t->c, true);
	sbox_close(t->s, true);
	world_run(t->w);
	sbox_free(t->c);
	sbox_free(t->s);
	sbox_free(t->l);
	world_free(t->w);
}

static uint32_t place_of(struct placed *t, struct iovec iov[2])
{
	iov[0] = iov[1] = (struct iovec){0};
	return netif_place(t->w->eb, t->f->data, MIN(t->f->size, 192u), t->f->size, iov);
}

/* As a link hands it on that read the payload to iov, and something else into the packet. */
static void input_placed(struct placed *t, uint32_t hlen, const struct iovec iov[2])
{
	struct pkt *p = pkt_alloc(t->f->size);
	const uint8_t *payload = t->f->data + hlen;

	assert_non_null(p);
	memcpy(p->data, t->f->data, hlen);
	memset(p->data + hlen, 0xee, t->f->size - hlen);
	p->len = t->f->size;
	p->csum = PKT_CSUM_VALID;
	p->away_at = p->data + hlen;
	p->away = t->f->size - hlen;
	p->ext[0] = iov[0];
	p->ext[1] = iov[1];
	memcpy(iov[0].iov_base, payload, iov[0].iov_len);
	if (iov[1].iov_len)
		memcpy(iov[1].iov_base, payload + iov[0].iov_len, iov[1].iov_len);
	netif_input(t->w->eb, p);
	world_run(t->w);
}

static void next_bytes(bool v6)
{
	struct placed t = setup_pair(v6);
	struct iovec iov[2];
	uint32_t hlen = place_of(&t, iov);

	assert_int_equal(hlen, t.f->size - 4000);
	assert_int_equal(iov[0].iov_len + iov[1].iov_len, 4000);
	assert_true((uint8_t *)iov[0].iov_base >= t.s->rx_mem && (uint8_t *)iov[0].iov_base + 4000 <= t.s->rx_mem + 65536);
	assert_int_equal(bytering_avail(&t.s->rd), 0); /* a place is no promise */
	input_placed(&t, hlen, iov);
	sbox_expect(t.s, 0, 4000);
	assert_int_equal(place_of(&t, iov), 0); /* these bytes are there */
	done(&t);
}

static void next_bytes_v4(void **state)
{
	next_bytes(false);
}

static void next_bytes_v6(void **state)
{
	next_bytes(true);
}

static void no_place_with(struct placed *t, unsigned at, uint8_t flip)
{
	struct iovec iov[2];

	t->f->data[at] ^= flip;
	assert_int_equal(place_of(t, iov), 0);
	t->f->data[at] ^= flip;
}

static void count_tap(struct netif_tap *tap, struct netif *nif, const struct pkt *p, bool out)
{
}

static void no_place(void **state)
{
	struct placed t = setup_pair(false);
	struct netif_tap tap = {.fn = count_tap};
	struct iovec iov[2];

	no_place_with(&t, 12, 1);           /* another EtherType */
	no_place_with(&t, 14, 0x03);        /* options */
	no_place_with(&t, 17, 1);           /* another length than the frame's */
	no_place_with(&t, 20, 0x20);        /* a fragment */
	no_place_with(&t, 23, 6 ^ 17);      /* UDP */
	no_place_with(&t, 34, 1);           /* nobody's port */
	no_place_with(&t, 41, 1);           /* another sequence number */
	no_place_with(&t, 46, 0xf0);        /* another size of its header */
	no_place_with(&t, 47, SEG_FIN);
	no_place_with(&t, 47, SEG_URG);
	assert_int_equal(netif_place(t.w->eb, t.f->data, 13, t.f->size, iov), 0);
	assert_int_equal(netif_place(t.w->eb, t.f->data, 33, t.f->size, iov), 0);
	assert_int_equal(netif_place(t.w->eb, t.f->data, 50, t.f->size, iov), 0);
	netif_tap_add(t.w->b, &tap);
	assert_int_equal(place_of(&t, iov), 0);
	netif_tap_remove(&tap);
	assert_int_equal(place_of(&t, iov), HEADERS);
	done(&t);
}

/* The place was found for bytes that came another way meanwhile. */
static void late(void **state)
{
	struct placed t = setup_pair(false);
	struct iovec first[2], *again = first;
	uint32_t hlen = place_of(&t, first);

	input_placed(&t, hlen, first);
	input_placed(&t, hlen, again); /* all of it is old */
	sbox_expect(t.s, 0, 4000);
	t.f->data[41] ^= 1; /* and bytes out of the middle, which are brought to their packet first */
	input_placed(&t, hlen, again);
	assert_true(bytering_avail(&t.s->rd) <= 1);
	done(&t);
}

/* Somebody looks at the whole frame. */
struct looker {
	struct netif_tap tap;
	struct frame *f;
	bool same;
};

static void look(struct netif_tap *tap, struct netif *nif, const struct pkt *p, bool out)
{
	struct looker *l = CONTAINER_OF(tap, struct looker, tap);

	if (!out && p->len == l->f->size)
		l->same = !memcmp(p->data, l->f->data, p->len);
}

static void tapped_meanwhile(void **state)
{
	struct placed t = setup_pair(false);
	struct looker l = {.tap = {.fn = look}, .f = t.f};
	struct iovec iov[2];
	uint32_t hlen = place_of(&t, iov);

	netif_tap_add(t.w->b, &l.tap);
	input_placed(&t, hlen, iov);
	netif_tap_remove(&l.tap);
	assert_true(l.same);
	sbox_expect(t.s, 0, 4000);
	done(&t);
}

/* The end of the ring lies in the middle. */
static void around_the_end(void **state)
{
	struct placed t = setup_pair(false);
	struct iovec iov[2];
	uint32_t hlen = place_of(&t, iov);
	bool two = false;

	input_placed(&t, hlen, iov);
	sbox_expect(t.s, 0, 4000);
	for (uint64_t pos = 4000; pos < 80000; pos += 4000) {
		struct capture *cap = &t.w->cap[0];

		world_pass(t.w, 300); /* what was lost comes again, and its acknowledgement is lost too */
		capture_clear(cap);
		cap->steal = false;
		world_pass(t.w, 1000);
		cap->steal = true;
		capture_clear(cap);
		assert_int_equal(sbox_pattern(t.c, pos, 4000), 4000);
		world_run(t.w);
		free(t.f);
		t.f = capture_take(cap);
		assert_non_null(t.f);
		hlen = place_of(&t, iov);
		assert_int_equal(hlen, HEADERS);
		two |= iov[1].iov_len > 0;
		input_placed(&t, hlen, iov);
		sbox_expect(t.s, pos, 4000);
	}
	assert_true(two);
	done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_bytes_v4),
		cmocka_unit_test(next_bytes_v6),
		cmocka_unit_test(no_place),
		cmocka_unit_test(late),
		cmocka_unit_test(tapped_meanwhile),
		cmocka_unit_test(around_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
