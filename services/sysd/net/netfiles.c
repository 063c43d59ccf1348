#include "services/sysd/net/netfiles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/util.h"
#include "services/sysd/fs/proc/proc.h"
#include "services/sysd/net/inet/client.h"
#include "services/sysd/net/net_ns.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"

#define TEXT_LIMIT (64ull << 20)

/* A request about a name; ns was made known to netd. */
static int ask(enum net_msg_kind kind, struct net_ns *ns, const char *name, uint64_t offset, const char *text,
	       size_t size, struct netd_reply *ret)
{
	struct net_msg *m;
	uint32_t id;
	int err = netd_ready();

	if (!err)
		err = netd_ns(ns, &id);
	if (err)
		return err;
	m = netd_msg(kind);
	if (strlen(name) >= sizeof(m->text))
		return -ENOENT;
	m->ns = id;
	m->value = offset;
	strcpy(m->text, name);
	m->data = (const uint8_t *)text;
	m->data_size = (uint32_t)size;
	return netd_call(m, ret);
}

/* Long texts come in pieces; netd makes the text anew for each, as a program that reads in small pieces has it on
 * Linux too. */
static int collect(struct net_ns *ns, const char *name, struct seqbuf *s)
{
	uint64_t offset = 0;

	for (;;) {
		struct netd_reply r = {0};
		int err = ask(NET_PROC, ns, name, offset, NULL, 0, &r);
		uint64_t whole = r.value;
		uint32_t got = r.data_size;

		if (err)
			return err;
		if (got)
			seq_write(s, r.data, got);
		netd_reply_done(&r);
		offset += got;
		if (!got || offset >= whole || s->failed)
			return 0;
		if (offset > TEXT_LIMIT) /* netd has less to say, unless it lies */
			return -EIO;
	}
}

int netfiles_show(struct net_ns *ns, const char *name, struct seqbuf *s)
{
	int err;

	net_ns_ref(ns);
	err = collect(ns, name, s);
	net_ns_unref(ns);
	return err;
}

int netfiles_sysctl_read(struct net_ns *ns, const char *name, struct seqbuf *s)
{
	struct netd_reply r = {0};
	int err;

	net_ns_ref(ns);
	err = ask(NET_SYSCTL, ns, name, 0, NULL, 0, &r);
	if (!err && r.data_size)
		seq_write(s, r.data, r.data_size);
	netd_reply_done(&r);
	net_ns_unref(ns);
	return err;
}

int netfiles_sysctl_write(struct net_ns *ns, const char *name, const char *text, size_t size)
{
	int err;

	net_ns_ref(ns);
	err = ask(NET_SYSCTL, ns, name, 0, text, size, NULL);
	net_ns_unref(ns);
	return err;
}

int netfiles_sysctl_list(struct net_ns *ns, char **ret)
{
	struct seqbuf s = {0};
	int err;

	net_ns_ref(ns);
	err = collect(ns, "sysctl", &s);
	net_ns_unref(ns);
	if (!err) {
		seq_putc(&s, 0);
		if (s.failed)
			err = -ENOMEM;
		else
			*ret = STEAL_PTR(s.buf);
	}
	seq_done(&s);
	return err;
}

/* ---- /proc/net ---------------------------------------------------------------------------------- */

static PROC_SHOW(show_file)
{
	struct task *cur = current_task();
	struct net_ns *ns = t ? t->ns->net : cur ? cur->ns->net : NULL;

	return ns ? netfiles_show(ns, pi->entry->name, s) : -EIO;
}

__attribute__((constructor)) static void register_files(void)
{
	static const char *const names[] = {
		"anycast6", "arp", "dev", "dev_mcast", "fib_trie", "fib_triestat", "icmp", "icmp6", "if_inet6", "igmp",
		"igmp6", "ip6_flowlabel", "ipv6_route", "mcfilter", "mcfilter6", "netstat", "packet", "protocols",
		"psched", "ptype", "raw", "raw6", "route", "rt6_stats", "rt_cache", "snmp", "snmp6", "sockstat",
		"sockstat6", "softnet_stat", "tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "wireless",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		proc_net_register(names[i], show_file);
}
