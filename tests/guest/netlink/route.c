/* What rtnetlink says of the loopback interface, and how it refuses. */
#include "nl.h"
#include <linux/if_addr.h>
#include <linux/if_link.h>

static void on_link(const struct nlmsghdr *h)
{
	const struct ifinfomsg *i = NLMSG_DATA(h);
	const char *name = attr(h, sizeof(*i), IFLA_IFNAME);

	if (strcmp(name, "lo"))
		return;
	printf("link %s index %d type %u flags %x mtu %u multi %d\n", name, i->ifi_index, i->ifi_type,
	       i->ifi_flags & (IFF_LOOPBACK | IFF_UP | IFF_RUNNING | IFF_BROADCAST), *(const uint32_t *)attr(h, sizeof(*i), IFLA_MTU),
	       !!(h->nlmsg_flags & NLM_F_MULTI));
}

static void addr(const struct nlmsghdr *h)
{
	const struct ifaddrmsg *a = NLMSG_DATA(h);
	char text[64];

	if (a->ifa_index != 1 || a->ifa_family != AF_INET)
		return;
	printf("addr %s/%u scope %u label %s\n", inet_ntop(AF_INET, attr(h, sizeof(*a), IFA_LOCAL), text, sizeof(text)),
	       a->ifa_prefixlen, a->ifa_scope, (const char *)attr(h, sizeof(*a), IFA_LABEL));
}

static void route(const struct nlmsghdr *h)
{
	const struct rtmsg *r = NLMSG_DATA(h);
	char text[64];

	printf("route %s/%u type %u oif %u src %d\n", inet_ntop(AF_INET, attr(h, sizeof(*r), RTA_DST), text, sizeof(text)),
	       r->rtm_dst_len, r->rtm_type, *(const uint32_t *)attr(h, sizeof(*r), RTA_OIF), !!attr(h, sizeof(*r), RTA_PREFSRC));
}

int main(void)
{
	const struct ifinfomsg all = {0}, one = {.ifi_index = 1}, none = {.ifi_index = 12345};
	const struct ifaddrmsg addrs = {.ifa_family = AF_INET};
	const struct rtmsg to = {.rtm_family = AF_INET, .rtm_dst_len = 32};
	const uint8_t here[4] = {127, 1, 2, 3};
	int s = (int)MUST(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));

	rq_begin(RTM_GETLINK, NLM_F_DUMP, &all, sizeof(all));
	printf("links: %s\n", result(ask(s, on_link)));
	rq_begin(RTM_GETLINK, 0, &one, sizeof(one));
	printf("one: %s\n", result(ask(s, on_link)));
	rq_begin(RTM_GETLINK, NLM_F_ACK, &one, sizeof(one));
	printf("one with ack: %s\n", result(ask(s, on_link)));
	rq_begin(RTM_GETLINK, 0, &none, sizeof(none));
	printf("none: %s\n", result(ask(s, on_link)));
	rq_begin(RTM_GETLINK, 0, &all, sizeof(all));
	rq_put(IFLA_IFNAME, "lo", 3);
	printf("by name: %s\n", result(ask(s, on_link)));
	rq_begin(RTM_GETLINK, 0, &all, sizeof(all));
	rq_put(IFLA_IFNAME, "nonsuch", 8);
	printf("by a wrong name: %s\n", result(ask(s, on_link)));
	rq_begin(RTM_GETADDR, NLM_F_DUMP, &addrs, sizeof(addrs));
	printf("addrs: %s\n", result(ask(s, addr)));
	rq_begin(RTM_GETROUTE, 0, &to, sizeof(to));
	rq_put(RTA_DST, here, 4);
	printf("route: %s\n", result(ask(s, route)));
	rq_begin(RTM_GETROUTE, 0, &to, sizeof(to));
	rq_put(RTA_DST, here, 3);
	printf("short address: %s\n", result(ask(s, route)));
	rq_begin(RTM_GETRULE, NLM_F_DUMP, &(struct rtmsg){.rtm_family = AF_INET}, sizeof(struct rtmsg));
	printf("rules: %s\n", result(ask(s, NULL)));
	rq_begin(250, NLM_F_ACK, &all, sizeof(all));
	printf("no such request: %s\n", result(ask(s, NULL)));
	rq_begin(NLMSG_NOOP, NLM_F_ACK, &all, 0);
	printf("noop: %s\n", result(ask(s, NULL)));
	if (setuid(65534) == 0) {
		rq_begin(RTM_NEWLINK, NLM_F_ACK, &(struct ifinfomsg){.ifi_index = 1, .ifi_change = IFF_UP, .ifi_flags = IFF_UP},
			 sizeof(all));
		printf("a change by nobody: %s\n", result(ask(s, NULL)));
	}
	return 0;
}
