/* Encoding and decoding of the link configuration: see msg_link.h and section link of sbx.cddl. One function for
 * each kind of entry in each direction, in the schema's order. */
#include "common/ipc/msg_link.h"

#include <net/if_arp.h>
#include <sys/socket.h>
#include "common/base/util.h"
#include "common/cbor/cursor.h"

#define VERSION 1
#define ENTRY_ROOM 192 /* more than any entry takes */

static unsigned ip_size(uint8_t family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

static void put_ip(struct cbor_w *w, const struct link_ip *ip)
{
	cbor_w_bytes(w, ip->bytes, ip_size(ip->family));
}

static struct link_ip get_ip(struct cbor_r *r)
{
	struct link_ip ip = {0};
	size_t n;
	const void *p = cbor_r_bytes(r, 16, &n);

	if (n == 4)
		ip.family = AF_INET;
	else if (n == 16)
		ip.family = AF_INET6;
	else if (n)
		r->error = -EPROTO;
	if (ip.family)
		memcpy(ip.bytes, p, n);
	return ip;
}

static void get_mac(struct cbor_r *r, uint8_t mac[6])
{
	size_t n;
	const void *p = cbor_r_bytes(r, 6, &n);

	if (n == 6)
		memcpy(mac, p, 6);
	else if (n)
		r->error = -EPROTO;
}

static void get_fields(struct cbor_r *r, size_t count)
{
	if (cbor_r_array(r, count) != count)
		r->error = -EPROTO;
}

static uint32_t get_u32(struct cbor_r *r)
{
	return (uint32_t)cbor_r_uint(r, UINT32_MAX);
}

static uint8_t get_u8(struct cbor_r *r)
{
	return (uint8_t)cbor_r_uint(r, UINT8_MAX);
}

/* An interface's name, or (label) nothing. */
static void get_name(struct cbor_r *r, char name[16], bool may_be_empty)
{
	cbor_r_text_copy(r, name, 16);
	for (const char *c = name; *c; c++)
		if (*c == '/' || *c <= ' ' || *c > '~')
			r->error = -EPROTO;
	if ((!name[0] && !may_be_empty) || !strcmp(name, ".") || !strcmp(name, ".."))
		r->error = -EPROTO;
}

static void put_link(struct cbor_w *w, const struct link_if *l)
{
	cbor_w_array(w, 10);
	cbor_w_uint(w, l->index);
	cbor_w_text(w, l->name);
	cbor_w_uint(w, l->kind);
	cbor_w_uint(w, l->type);
	cbor_w_bytes(w, l->mac, 6);
	cbor_w_uint(w, l->mtu);
	cbor_w_uint(w, l->flags);
	cbor_w_uint(w, l->txqlen);
	cbor_w_bool(w, l->ipv6);
	cbor_w_bool(w, l->offload);
}

static void get_link(struct cbor_r *r, struct link_if *l)
{
	get_fields(r, 10);
	l->index = (uint32_t)cbor_r_uint(r, INT32_MAX);
	get_name(r, l->name, false);
	l->kind = (uint32_t)cbor_r_uint(r, LINK_HOST);
	l->type = (uint16_t)cbor_r_uint(r, UINT16_MAX);
	get_mac(r, l->mac);
	l->mtu = (uint32_t)cbor_r_uint(r, 65535);
	l->flags = get_u32(r);
	l->txqlen = (uint32_t)cbor_r_uint(r, INT32_MAX);
	l->ipv6 = cbor_r_bool(r);
	l->offload = cbor_r_bool(r);
	if (l->index < 2 || l->mtu < 68 || l->type != ARPHRD_ETHER)
		r->error = -EPROTO;
}

static void put_addr(struct cbor_w *w, const struct link_addr *a)
{
	cbor_w_array(w, 10);
	cbor_w_uint(w, a->index);
	put_ip(w, &a->addr);
	put_ip(w, &a->peer);
	put_ip(w, &a->broadcast);
	cbor_w_uint(w, a->prefix);
	cbor_w_uint(w, a->scope);
	cbor_w_uint(w, a->flags);
	cbor_w_text(w, a->label);
	cbor_w_uint(w, a->preferred_s);
	cbor_w_uint(w, a->valid_s);
}

static void get_addr(struct cbor_r *r, struct link_addr *a)
{
	get_fields(r, 10);
	a->index = get_u32(r);
	a->addr = get_ip(r);
	a->peer = get_ip(r);
	a->broadcast = get_ip(r);
	a->prefix = get_u8(r);
	a->scope = get_u8(r);
	a->flags = get_u32(r);
	get_name(r, a->label, true);
	a->preferred_s = get_u32(r);
	a->valid_s = get_u32(r);
	if (!a->addr.family || a->prefix > 8 * ip_size(a->addr.family) ||
	    (a->peer.family && a->peer.family != a->addr.family) ||
	    (a->broadcast.family && a->broadcast.family != AF_INET))
		r->error = -EPROTO;
}

static void put_route(struct cbor_w *w, const struct link_route *t)
{
	cbor_w_array(w, 15);
	put_ip(w, &t->dst);
	put_ip(w, &t->gateway);
	put_ip(w, &t->prefsrc);
	cbor_w_uint(w, t->dst_len);
	cbor_w_uint(w, t->protocol);
	cbor_w_uint(w, t->scope);
	cbor_w_uint(w, t->type);
	cbor_w_uint(w, t->table);
	cbor_w_uint(w, t->oif);
	cbor_w_uint(w, t->metric);
	cbor_w_uint(w, t->mtu);
	cbor_w_uint(w, t->advmss);
	cbor_w_uint(w, t->window);
	cbor_w_uint(w, t->initcwnd);
	cbor_w_uint(w, t->flags);
}

static void get_route(struct cbor_r *r, struct link_route *t)
{
	get_fields(r, 15);
	t->dst = get_ip(r);
	t->gateway = get_ip(r);
	t->prefsrc = get_ip(r);
	t->dst_len = get_u8(r);
	t->protocol = get_u8(r);
	t->scope = get_u8(r);
	t->type = get_u8(r);
	t->table = get_u32(r);
	t->oif = get_u32(r);
	t->metric = get_u32(r);
	t->mtu = (uint32_t)cbor_r_uint(r, 65535);
	t->advmss = (uint32_t)cbor_r_uint(r, 65535);
	t->window = get_u32(r);
	t->initcwnd = (uint32_t)cbor_r_uint(r, 65535);
	t->flags = get_u32(r);
	if (!t->dst.family || t->dst_len > 8 * ip_size(t->dst.family) ||
	    (t->prefsrc.family && t->prefsrc.family != t->dst.family))
		r->error = -EPROTO;
}

static void put_rule(struct cbor_w *w, const struct link_rule *u)
{
	cbor_w_array(w, 11);
	cbor_w_uint(w, u->family);
	cbor_w_uint(w, u->action);
	cbor_w_uint(w, u->src_len);
	cbor_w_uint(w, u->dst_len);
	cbor_w_uint(w, u->priority);
	cbor_w_uint(w, u->table);
	cbor_w_uint(w, u->mark);
	cbor_w_uint(w, u->mask);
	cbor_w_uint(w, u->flags);
	put_ip(w, &u->src);
	put_ip(w, &u->dst);
}

static void get_rule(struct cbor_r *r, struct link_rule *u)
{
	get_fields(r, 11);
	u->family = get_u8(r);
	u->action = get_u8(r);
	u->src_len = get_u8(r);
	u->dst_len = get_u8(r);
	u->priority = get_u32(r);
	u->table = get_u32(r);
	u->mark = get_u32(r);
	u->mask = get_u32(r);
	u->flags = get_u32(r);
	u->src = get_ip(r);
	u->dst = get_ip(r);
	if (!ip_size(u->family) || u->src_len > 8 * ip_size(u->src.family) ||
	    u->dst_len > 8 * ip_size(u->dst.family) || (u->src.family && u->src.family != u->family) ||
	    (u->dst.family && u->dst.family != u->family))
		r->error = -EPROTO;
}

static void put_neigh(struct cbor_w *w, const struct link_neigh *n)
{
	cbor_w_array(w, 5);
	cbor_w_uint(w, n->index);
	put_ip(w, &n->addr);
	cbor_w_bytes(w, n->mac, 6);
	cbor_w_uint(w, n->state);
	cbor_w_uint(w, n->flags);
}

static void get_neigh(struct cbor_r *r, struct link_neigh *n)
{
	get_fields(r, 5);
	n->index = get_u32(r);
	n->addr = get_ip(r);
	get_mac(r, n->mac);
	n->state = (uint16_t)cbor_r_uint(r, UINT16_MAX);
	n->flags = get_u8(r);
	if (!n->addr.family)
		r->error = -EPROTO;
}

long link_config_encode(const struct link_config *c, uint8_t **ret_buf)
{
	size_t room = 64 + ENTRY_ROOM * (c->link_count + c->addr_count + c->route_count + c->rule_count +
					 c->neigh_count);
	CLEANUP_FREE uint8_t *buf = NULL;
	struct cbor_w w;
	long size;

	if (c->link_count > LINK_LINKS_MAX || c->addr_count > LINK_ITEMS_MAX || c->route_count > LINK_ITEMS_MAX ||
	    c->rule_count > LINK_ITEMS_MAX || c->neigh_count > LINK_ITEMS_MAX)
		return -E2BIG;
	buf = malloc(room);
	if (!buf)
		return -ENOMEM;
	cbor_w_init(&w, buf, room);
	cbor_w_array(&w, 8);
	cbor_w_uint(&w, VERSION);
	cbor_w_bool(&w, c->none);
#define PUT_ALL(what)                                                   \
	do {                                                            \
		cbor_w_array(&w, c->what##_count);                      \
		for (size_t i = 0; i < c->what##_count; i++)            \
			put_##what(&w, &c->what##s[i]);                 \
	} while (0)
	PUT_ALL(link);
	PUT_ALL(addr);
	PUT_ALL(route);
	PUT_ALL(rule);
	PUT_ALL(neigh);
#undef PUT_ALL
	put_ip(&w, &c->resolver);
	size = cbor_w_done(&w);
	if (size >= 0)
		*ret_buf = STEAL_PTR(buf);
	return size;
}

static bool has_link(const struct link_config *c, uint32_t index)
{
	for (size_t i = 0; i < c->link_count; i++)
		if (c->links[i].index == index)
			return true;
	return false;
}

/* What no single entry shows. */
static bool consistent(const struct link_config *c)
{
	for (size_t i = 0; i < c->link_count; i++)
		for (size_t j = 0; j < i; j++)
			if (c->links[i].index == c->links[j].index || !strcmp(c->links[i].name, c->links[j].name))
				return false;
	for (size_t i = 0; i < c->addr_count; i++)
		if (!has_link(c, c->addrs[i].index))
			return false;
	for (size_t i = 0; i < c->neigh_count; i++)
		if (!has_link(c, c->neighs[i].index))
			return false;
	for (size_t i = 0; i < c->route_count; i++)
		if (c->routes[i].oif > 1 && !has_link(c, c->routes[i].oif))
			return false;
	return !c->none || !c->link_count;
}

int link_config_decode(const void *buf, size_t size, struct link_config *ret)
{
	struct link_config c = {0};
	struct cbor_r r;
	int err;

	cbor_r_init(&r, buf, size);
	get_fields(&r, 8);
	if (cbor_r_uint(&r, VERSION) != VERSION)
		r.error = -EPROTO;
	c.none = cbor_r_bool(&r);
#define GET_ALL(what, max)                                                       \
	do {                                                                     \
		size_t count_ = cbor_r_array(&r, max);                           \
		if (r.error || count_ > size) {                                  \
			r.error = -EPROTO;                                       \
			break;                                                   \
		}                                                                \
		c.what##s = calloc(count_ + 1, sizeof(*c.what##s));              \
		if (!c.what##s) {                                                \
			r.error = -ENOMEM;                                       \
			break;                                                   \
		}                                                                \
		for (; c.what##_count < count_ && !r.error; c.what##_count++)    \
			get_##what(&r, &c.what##s[c.what##_count]);              \
	} while (0)
	GET_ALL(link, LINK_LINKS_MAX);
	GET_ALL(addr, LINK_ITEMS_MAX);
	GET_ALL(route, LINK_ITEMS_MAX);
	GET_ALL(rule, LINK_ITEMS_MAX);
	GET_ALL(neigh, LINK_ITEMS_MAX);
#undef GET_ALL
	c.resolver = get_ip(&r);
	err = cbor_r_done(&r);
	if (!err && !consistent(&c))
		err = -EPROTO;
	if (err) {
		link_config_done(&c);
		return err;
	}
	*ret = c;
	return 0;
}

void link_config_done(struct link_config *c)
{
	free(c->links);
	free(c->addrs);
	free(c->routes);
	free(c->rules);
	free(c->neighs);
	*c = (struct link_config){0};
}
