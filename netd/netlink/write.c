/* Writing messages into the request's buffer. */
#include "common/base/util.h"
#include "netd/netlink/private.h"

static void *take(struct nl_ctx *c, size_t size)
{
	size_t whole = NLMSG_ALIGN(size);
	void *at;

	if (c->failed || whole > NL_ROOM - c->used) {
		c->failed = true;
		return NULL;
	}
	at = c->buf + c->used;
	memset(at, 0, whole);
	c->used += whole;
	return at;
}

static struct nlmsghdr *message(struct nl_ctx *c)
{
	return (struct nlmsghdr *)(void *)(c->buf + c->msg);
}

void *nl_begin(struct nl_ctx *c, uint16_t type, uint16_t flags, size_t header_size)
{
	static uint8_t scratch[256]; /* where a header goes that did not fit */
	struct nlmsghdr *h;

	c->msg = c->used;
	c->failed = false;
	h = take(c, NLMSG_HDRLEN + header_size);
	if (!h) {
		memset(scratch, 0, sizeof(scratch));
		return scratch;
	}
	h->nlmsg_type = type;
	h->nlmsg_flags = flags | (c->multi ? NLM_F_MULTI : 0);
	h->nlmsg_seq = c->req ? c->req->nlmsg_seq : 0;
	h->nlmsg_pid = c->req ? c->port : 0;
	return NLMSG_DATA(h);
}

void nl_send(struct nl_ctx *c, uint32_t group)
{
	if (c->used)
		c->emit(c->arg, group, c->buf, c->used);
	c->sent += c->used;
	c->used = 0;
}

void nl_end(struct nl_ctx *c)
{
	if (c->failed) {
		c->used = c->msg;
		c->failed = false;
		return;
	}
	message(c)->nlmsg_len = (uint32_t)(c->used - c->msg);
	if (!c->multi || c->used <= NL_CHUNK)
		return;
	/* the one that is too much begins the next chunk */
	if (c->msg) {
		size_t rest = c->used - c->msg;

		c->used = c->msg;
		c->emit(c->arg, 0, c->buf, c->used);
		c->sent += c->used;
		memmove(c->buf, c->buf + c->msg, rest);
		c->used = rest;
	}
}

void *nl_reserve(struct nl_ctx *c, uint16_t type, size_t size)
{
	struct nlattr *a = take(c, NLA_HDRLEN + size);

	if (!a)
		return NULL;
	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + size);
	return (uint8_t *)a + NLA_HDRLEN;
}

void nl_put(struct nl_ctx *c, uint16_t type, const void *data, size_t size)
{
	void *at = nl_reserve(c, type, size);

	if (at && size)
		memcpy(at, data, size);
}

void nl_put_u8(struct nl_ctx *c, uint16_t type, uint8_t v)
{
	nl_put(c, type, &v, sizeof(v));
}

void nl_put_u16(struct nl_ctx *c, uint16_t type, uint16_t v)
{
	nl_put(c, type, &v, sizeof(v));
}

void nl_put_u32(struct nl_ctx *c, uint16_t type, uint32_t v)
{
	nl_put(c, type, &v, sizeof(v));
}

void nl_put_u64(struct nl_ctx *c, uint16_t type, uint64_t v)
{
	nl_put(c, type, &v, sizeof(v));
}

void nl_put_text(struct nl_ctx *c, uint16_t type, const char *s)
{
	nl_put(c, type, s, strlen(s) + 1);
}

void nl_put_addr(struct nl_ctx *c, uint16_t type, const struct ip_addr *a)
{
	if (a->family == AF_INET)
		nl_put(c, type, &a->v4, 4);
	else if (a->family == AF_INET6)
		nl_put(c, type, a->v6, 16);
}

size_t nl_nest(struct nl_ctx *c, uint16_t type)
{
	size_t at = c->used;

	nl_put(c, type, NULL, 0);
	return at;
}

void nl_nest_end(struct nl_ctx *c, size_t nest)
{
	if (!c->failed)
		((struct nlattr *)(void *)(c->buf + nest))->nla_len = (uint16_t)(c->used - nest);
}
