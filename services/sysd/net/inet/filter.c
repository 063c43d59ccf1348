/* Socket filters: what core/bpf.h runs, over a datagram. A load beyond it ends the program with "drop", as on Linux. */
#include "services/sysd/net/inet/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/core/bpf.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/inet/inet.h"

struct inet_filter {
	unsigned count;
	struct abi_sock_filter insn[];
};

static const struct bpf_kind over_datagrams;

int inet_filter_attach(struct inet_sock *k, struct task *t, uint64_t uval, uint32_t size)
{
	struct abi_sock_fprog prog;
	struct inet_filter *f;
	int ret;

	if (inet_opt(k, OPT_SO_LOCK_FILTER))
		return -EPERM;
	if (size != sizeof(prog))
		return -EINVAL;
	if (user_get(t, prog, uval))
		return -EFAULT;
	if (!prog.count || prog.count > BPF_MAX_INSNS)
		return -EINVAL;
	f = malloc(sizeof(*f) + prog.count * sizeof(f->insn[0]));
	if (!f)
		return -ENOMEM;
	f->count = prog.count;
	ret = user_read(t, f->insn, prog.filter, prog.count * sizeof(f->insn[0]))
		      ? -EFAULT : bpf_check(&over_datagrams, f->insn, f->count);
	if (ret) {
		free(f);
		return ret;
	}
	free(k->filter);
	k->filter = f;
	return 0;
}

int inet_filter_detach(struct inet_sock *k)
{
	if (inet_opt(k, OPT_SO_LOCK_FILTER))
		return -EPERM;
	if (!k->filter)
		return -ENOENT;
	free(k->filter);
	k->filter = NULL;
	return 0;
}

/* What the program sees: a transport header that the record does not have, and the payload. */
struct view {
	uint8_t head[8];
	uint32_t head_size, size;
	const struct iovec *iov;
	const struct net_dgram *d;
};

static bool load_byte(const struct view *v, uint32_t at, uint8_t *ret)
{
	if (at >= v->size)
		return false;
	if (at < v->head_size) {
		*ret = v->head[at];
		return true;
	}
	at -= v->head_size;
	if (at < v->iov[0].iov_len)
		*ret = ((const uint8_t *)v->iov[0].iov_base)[at];
	else
		*ret = ((const uint8_t *)v->iov[1].iov_base)[at - v->iov[0].iov_len];
	return true;
}

static bool ancillary(const struct view *v, uint32_t what, uint32_t *ret)
{
	switch (what) {
	case SKF_AD_PROTOCOL: *ret = ntohs(v->d->protocol); return true;
	case SKF_AD_PKTTYPE: *ret = v->d->pkttype; return true;
	case SKF_AD_IFINDEX: *ret = (uint32_t)v->d->ifindex; return true;
	case SKF_AD_HATYPE: *ret = v->d->hatype; return true;
	case SKF_AD_PAY_OFFSET:
	case SKF_AD_CPU:
	case SKF_AD_QUEUE:
	case SKF_AD_MARK:
	case SKF_AD_RXHASH:
	case SKF_AD_VLAN_TAG:
	case SKF_AD_VLAN_TAG_PRESENT: *ret = 0; return true;
	default: return false;
	}
}

static bool is_ancillary(uint32_t at)
{
	return at >= (uint32_t)SKF_AD_OFF;
}

static bool may_load(uint16_t size, uint32_t k)
{
	(void)size;
	return !is_ancillary(k) || (k - (uint32_t)SKF_AD_OFF < SKF_AD_MAX && k % 4 == 0);
}

static bool load(const void *data, uint16_t code, uint32_t at, uint32_t *ret)
{
	unsigned n = BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
	const struct view *v = data;
	uint32_t value = 0;
	uint8_t b;

	if (BPF_MODE(code) == BPF_ABS && is_ancillary(at))
		return ancillary(v, at - (uint32_t)SKF_AD_OFF, ret);
	for (unsigned i = 0; i < n; i++) {
		if (at > UINT32_MAX - i || !load_byte(v, at + i, &b))
			return false;
		value = value << 8 | b;
	}
	*ret = value;
	return true;
}

static const struct bpf_kind over_datagrams = {.packets = true, .may_load = may_load, .load = load};

uint32_t inet_filter_run(const struct inet_sock *k, const struct net_dgram *d, const struct iovec iov[2])
{
	struct view v = {.size = d->size, .iov = iov, .d = d};
	uint32_t n;

	if (!k->filter)
		return UINT32_MAX;
	if (k->s.type == SOCK_DGRAM && k->s.family != AF_PACKET && k->s.protocol == 17) {
		uint16_t size = htons((uint16_t)(d->size + 8));

		memcpy(v.head, &d->from.port, 2);
		memcpy(v.head + 2, &d->to.port, 2);
		memcpy(v.head + 4, &size, 2);
		v.head_size = 8;
		v.size += 8;
	}
	n = bpf_run(&over_datagrams, k->filter->insn, &v, v.size);
	return n <= v.head_size ? 0 : n - v.head_size;
}
