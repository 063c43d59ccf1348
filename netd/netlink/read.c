/* Reading the attributes of a request. */
#include "common/base/util.h"
#include "netd/netlink/private.h"

static int parse(const uint8_t *at, size_t left, struct nl_attrs *ret)
{
	memset(ret, 0, sizeof(*ret));
	while (left >= NLA_HDRLEN) {
		const struct nlattr *a = (const struct nlattr *)(const void *)at;
		unsigned type = a->nla_type & NLA_TYPE_MASK;
		size_t whole;

		if (a->nla_len < NLA_HDRLEN || a->nla_len > left)
			return -EINVAL;
		if (type < NL_ATTRS_MAX)
			ret->at[type] = a;
		whole = MIN((size_t)NLA_ALIGN(a->nla_len), left);
		at += whole;
		left -= whole;
	}
	return 0;
}

const void *nl_header(const struct nlmsghdr *h, size_t size)
{
	return h->nlmsg_len >= NLMSG_HDRLEN + size ? NLMSG_DATA(h) : NULL;
}

int nl_parse(const struct nlmsghdr *h, size_t header_size, struct nl_attrs *ret)
{
	size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(header_size);

	return parse((const uint8_t *)h + skip, h->nlmsg_len > skip ? h->nlmsg_len - skip : 0, ret);
}

int nl_parse_nested(const struct nlattr *nest, struct nl_attrs *ret)
{
	return parse(nest ? nl_data(nest) : NULL, nest ? nl_size(nest) : 0, ret);
}

uint32_t nl_u32(const struct nlattr *a, uint32_t def)
{
	if (a && nl_size(a) >= sizeof(def))
		memcpy(&def, nl_data(a), sizeof(def));
	return def;
}

uint16_t nl_u16(const struct nlattr *a, uint16_t def)
{
	if (a && nl_size(a) >= sizeof(def))
		memcpy(&def, nl_data(a), sizeof(def));
	return def;
}

uint8_t nl_u8(const struct nlattr *a, uint8_t def)
{
	return a && nl_size(a) ? *(const uint8_t *)nl_data(a) : def;
}

bool nl_addr(const struct nlattr *a, int family, struct ip_addr *ret)
{
	size_t size = family == AF_INET ? 4 : 16;

	if (!a || nl_size(a) != size || (family != AF_INET && family != AF_INET6))
		return false;
	*ret = (struct ip_addr){.family = (uint16_t)family};
	memcpy(family == AF_INET ? (void *)&ret->v4 : ret->v6, nl_data(a), size);
	return true;
}

bool nl_text(const struct nlattr *a, char *ret, size_t room)
{
	const char *s = a ? nl_data(a) : NULL;
	size_t n = a ? strnlen(s, nl_size(a)) : 0;

	if (!n || n >= room)
		return false;
	memcpy(ret, s, n);
	ret[n] = 0;
	return true;
}
