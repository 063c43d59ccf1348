/* Names between struct nsock_name and struct sockaddr. */
#include "netd/host/private.h"

socklen_t host_name_out(int family, const struct nsock_name *n, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *in = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (family == AF_INET) {
		*in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = n->port};
		if (n->addr.family == AF_INET)
			in->sin_addr.s_addr = n->addr.v4;
		else if (!ip_addr_any(&n->addr))
			in->sin_family = AF_INET6; /* the host's kernel says what is wrong with it */
		return sizeof(*in);
	}
	*in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = n->port, .sin6_flowinfo = n->flowinfo,
				     .sin6_scope_id = n->addr.scope};
	if (n->addr.family == AF_INET6) {
		memcpy(&in6->sin6_addr, n->addr.v6, 16);
	} else if (n->addr.family == AF_INET) {
		in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
		memcpy(&in6->sin6_addr.s6_addr[12], &n->addr.v4, 4);
	}
	return sizeof(*in6);
}

void host_name_in(const struct sockaddr_storage *ss, struct nsock_name *ret)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;

	*ret = (struct nsock_name){0};
	if (ss->ss_family == AF_INET) {
		ret->addr = ip_addr_v4(in->sin_addr.s_addr);
		ret->port = in->sin_port;
	} else if (ss->ss_family == AF_INET6) {
		ret->port = in6->sin6_port;
		ret->flowinfo = in6->sin6_flowinfo;
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			memcpy(&ret->addr.v4, &in6->sin6_addr.s6_addr[12], 4);
			ret->addr.family = AF_INET;
			return;
		}
		ret->addr.family = AF_INET6;
		ret->addr.scope = in6->sin6_scope_id;
		memcpy(ret->addr.v6, &in6->sin6_addr, 16);
	}
}
