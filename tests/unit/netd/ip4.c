#include "ip4.h"

struct world *w;
struct box *srv;
uint8_t frame[3000];

int ip4_setup(void **state)
{
	w = world_new(true);
	srv = box_bound(w->a, "0.0.0.0", 9);
	/* Both know each other. */
	box_send(srv, "10.0.0.2", 1, "x", 1);
	world_run(w);
	world_capture(w, 0, true);
	return 0;
}

int ip4_teardown(void **state)
{
	box_free(srv);
	world_free(w);
	return 0;
}

struct ip4_hdr *ip(uint8_t protocol, uint32_t size)
{
	struct ip4_hdr *h = (void *)(frame + 14);

	memset(frame, 0, sizeof(frame));
	memcpy(frame, world_mac_a, 6);
	memcpy(frame + 6, world_mac_b, 6);
	put_be16(frame + 12, ETYPE_IP4);
	h->vhl = 0x45;
	h->len = be16((uint16_t)(20 + size));
	h->id = be16(77);
	h->ttl = 64;
	h->protocol = protocol;
	h->src = be32(0x0a000002);
	h->dst = be32(0x0a000001);
	return h;
}

void seal(void)
{
	struct ip4_hdr *h = (void *)(frame + 14);

	h->csum = 0;
	h->csum = csum_fold(csum_partial(h, ip4_hlen(h), 0));
}

void send_frame(void)
{
	struct ip4_hdr *h = (void *)(frame + 14);

	world_inject(w->ea, frame, 14u + be16(h->len));
	world_run(w);
}

struct ip4_hdr *udp(const char *text)
{
	uint32_t n = (uint32_t)strlen(text);
	struct ip4_hdr *h = ip(17, 8 + n);
	struct udp_hdr *u = (void *)(frame + 34);

	u->src = be16(5);
	u->dst = be16(9);
	u->len = be16((uint16_t)(8 + n));
	memcpy(u + 1, text, n);
	seal();
	return h;
}

void udp_seal(void)
{
	struct ip4_hdr *h = (void *)(frame + 14);
	struct udp_hdr *u = (void *)(frame + 34);
	struct ip_addr s = ip_addr_v4(h->src), d = ip_addr_v4(h->dst);
	uint32_t n = be16(h->len) - 20u;

	u->csum = 0;
	u->csum = csum_fold(csum_partial(u, n, csum_pseudo(&s, &d, 17, n)));
	seal();
}

void taken(const char *text)
{
	box_expect(srv, text, strlen(text), "10.0.0.2");
	assert_null(srv->first);
}

const uint8_t *complaint(uint8_t type, uint8_t code)
{
	static uint8_t kept[1600];
	struct frame *f;

	while ((f = capture_take(&w->cap[0]))) {
		bool hit = f->size > 42 && f->data[12] == 8 && f->data[13] == 0 && f->data[23] == 1 &&
			   f->data[34] == type && f->data[35] == code;

		memcpy(kept, f->data, MIN(f->size, (uint32_t)sizeof(kept)));
		free(f);
		if (hit)
			return kept + 34;
	}
	return NULL;
}
