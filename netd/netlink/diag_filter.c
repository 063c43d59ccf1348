#include "netd/netlink/diag_filter.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>

#include "common/base/util.h"

struct op {
	struct inet_diag_bc_op op;
	uint32_t no;             /* a jump out of the code by 4 means "no" */
	const uint8_t *arg;
	size_t arg_size;
};

/* The instruction at `at`. All jumps lead forward and end at an instruction or the end. */
static bool decode(const uint8_t *code, size_t size, size_t at, struct op *o)
{
	size_t left = size - at;

	if (left < sizeof(o->op))
		return false;
	memcpy(&o->op, code + at, sizeof(o->op));
	o->no = o->op.no;
	o->arg = code + at + sizeof(o->op);
	o->arg_size = 0;
	switch (o->op.code) {
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND: {
		struct inet_diag_hostcond cond;

		if (left < sizeof(o->op) + sizeof(cond))
			return false;
		memcpy(&cond, o->arg, sizeof(cond));
		o->arg_size = sizeof(cond);
		if (cond.family == AF_INET)
			o->arg_size += 4;
		else if (cond.family == AF_INET6)
			o->arg_size += 16;
		else if (cond.family != AF_UNSPEC)
			return false;
		if (cond.prefix_len > 8 * (o->arg_size - sizeof(cond)))
			return false;
		break;
	}
	case INET_DIAG_BC_S_GE:
	case INET_DIAG_BC_S_LE:
	case INET_DIAG_BC_D_GE:
	case INET_DIAG_BC_D_LE:
	case INET_DIAG_BC_S_EQ:
	case INET_DIAG_BC_D_EQ:
		o->arg_size = sizeof(struct inet_diag_bc_op);
		break;
	case INET_DIAG_BC_DEV_COND:
		o->arg_size = sizeof(uint32_t);
		break;
	case INET_DIAG_BC_MARK_COND:
		o->arg_size = sizeof(struct inet_diag_markcond);
		break;
	case INET_DIAG_BC_AUTO:
	case INET_DIAG_BC_JMP:
	case INET_DIAG_BC_NOP:
		break;
	default:
		return false;
	}
	if (left < sizeof(o->op) + o->arg_size)
		return false;
	/* forward, aligned, behind what the instruction itself takes, and not past the end */
	if (o->op.yes < sizeof(o->op) + o->arg_size || o->op.yes > left || o->op.yes & 3)
		return false;
	if (o->op.code == INET_DIAG_BC_NOP)
		o->no = o->op.yes;
	return o->no >= 4 && o->no <= left + 4 && !(o->no & 3);
}

bool diag_filter_check(const uint8_t *code, size_t size)
{
	struct op o;

	/* The kernel checks that jumps meet instructions; here each is decoded again when it is run, so it is enough
	 * that every step goes forward. */
	for (size_t at = 0; at < size; at += o.op.yes)
		if (!decode(code, size, at, &o))
			return false;
	return true;
}

static bool host_matches(const struct op *o, const struct diag_subject *s, const struct nsock_name *n)
{
	struct inet_diag_hostcond cond;
	struct ip_addr a = {0};

	memcpy(&cond, o->arg, sizeof(cond));
	if (cond.port != -1 && cond.port != ntohs(n->port))
		return false;
	if (!cond.prefix_len)
		return cond.family == AF_UNSPEC || cond.family == s->family || !n->addr.family;
	a.family = cond.family;
	memcpy(cond.family == AF_INET ? (void *)&a.v4 : a.v6, o->arg + sizeof(cond), cond.family == AF_INET ? 4 : 16);
	if (a.family == AF_INET6 && n->addr.family == AF_INET) {
		/* ::ffff:a.b.c.d/96 and more */
		static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

		if (memcmp(a.v6, mapped, 12) != 0 || cond.prefix_len < 96)
			return false;
		memcpy(&a.v4, a.v6 + 12, 4);
		a.family = AF_INET;
		cond.prefix_len = (uint8_t)(cond.prefix_len - 96);
	}
	return n->addr.family == a.family && ip_addr_prefix_equal(&n->addr, &a, cond.prefix_len);
}

static bool holds(const struct op *o, const struct diag_subject *s)
{
	uint16_t local = ntohs(s->local->port), peer = ntohs(s->peer->port), value = 0;
	struct inet_diag_bc_op second;
	struct inet_diag_markcond mark;
	uint32_t ifindex;

	if (o->arg_size == sizeof(second) && o->op.code != INET_DIAG_BC_DEV_COND) {
		memcpy(&second, o->arg, sizeof(second)); /* the port stands in the jump field of a second instruction */
		value = second.no;
	}
	switch (o->op.code) {
	case INET_DIAG_BC_S_GE:
		return local >= value;
	case INET_DIAG_BC_S_LE:
		return local <= value;
	case INET_DIAG_BC_S_EQ:
		return local == value;
	case INET_DIAG_BC_D_GE:
		return peer >= value;
	case INET_DIAG_BC_D_LE:
		return peer <= value;
	case INET_DIAG_BC_D_EQ:
		return peer == value;
	case INET_DIAG_BC_AUTO:
		return !s->bound_port;
	case INET_DIAG_BC_S_COND:
		return host_matches(o, s, s->local);
	case INET_DIAG_BC_D_COND:
		return host_matches(o, s, s->peer);
	case INET_DIAG_BC_DEV_COND:
		memcpy(&ifindex, o->arg, sizeof(ifindex));
		return (int)ifindex == s->ifindex;
	case INET_DIAG_BC_MARK_COND:
		memcpy(&mark, o->arg, sizeof(mark));
		return (s->mark & mark.mask) == mark.mark;
	case INET_DIAG_BC_NOP:
		return true;
	default:
		return false; /* JMP */
	}
}

bool diag_filter_run(const uint8_t *code, size_t size, const struct diag_subject *s)
{
	size_t at = 0;

	while (at < size) {
		struct op o;

		if (!decode(code, size, at, &o))
			return false;
		at += holds(&o, s) ? o.op.yes : o.no;
	}
	return at == size;
}
