/* The checker and the interpreter of socket filters. Jumps only go forward, so a program ends; a load beyond the
 * datagram ends it with "drop", as on Linux. */
#include "services/sysd/net/inet/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/net/inet/inet.h"

#define INSNS_MAX 4096

struct inet_filter {
	unsigned count;
	struct sock_filter insn[];
};

struct abi_sock_fprog {
	uint16_t count;
	uint16_t pad[3];
	uint64_t insns;
};

/* The instructions that there are, to the bit: the interpreter looks at parts of a code only, so one with a bit more
 * would pass for another one whose operands were not checked. */
static bool known(uint16_t code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_B | BPF_MSH:
	case BPF_LDX | BPF_IMM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
	case BPF_ALU | BPF_NEG:
	case BPF_JMP | BPF_JA:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
		return true;
	}
	switch (code & ~BPF_X) {
	case BPF_ALU | BPF_ADD:
	case BPF_ALU | BPF_SUB:
	case BPF_ALU | BPF_MUL:
	case BPF_ALU | BPF_DIV:
	case BPF_ALU | BPF_MOD:
	case BPF_ALU | BPF_AND:
	case BPF_ALU | BPF_OR:
	case BPF_ALU | BPF_XOR:
	case BPF_ALU | BPF_LSH:
	case BPF_ALU | BPF_RSH:
	case BPF_JMP | BPF_JEQ:
	case BPF_JMP | BPF_JGT:
	case BPF_JMP | BPF_JGE:
	case BPF_JMP | BPF_JSET:
		return true;
	}
	return false;
}

static bool insn_ok(const struct sock_filter *f, unsigned left)
{
	if (!known(f->code))
		return false;
	switch (f->code) {
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return f->k < BPF_MEMWORDS;
	case BPF_ALU | BPF_DIV | BPF_K:
	case BPF_ALU | BPF_MOD | BPF_K:
		return f->k != 0;
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		return f->k < 32;
	case BPF_JMP | BPF_JA:
		return f->k < left;
	}
	return BPF_CLASS(f->code) != BPF_JMP || (f->jt < left && f->jf < left);
}

int inet_filter_attach(struct inet_sock *k, struct task *t, uint64_t uval, uint32_t size)
{
	struct abi_sock_fprog prog;
	struct inet_filter *f;

	if (inet_opt(k, OPT_SO_LOCK_FILTER))
		return -EPERM;
	if (size != sizeof(prog))
		return -EINVAL;
	if (user_get(t, prog, uval))
		return -EFAULT;
	if (!prog.count || prog.count > INSNS_MAX)
		return -EINVAL;
	f = malloc(sizeof(*f) + prog.count * sizeof(f->insn[0]));
	if (!f)
		return -ENOMEM;
	f->count = prog.count;
	if (user_read(t, f->insn, prog.insns, prog.count * sizeof(f->insn[0]))) {
		free(f);
		return -EFAULT;
	}
	for (unsigned i = 0; i < f->count; i++)
		if (!insn_ok(&f->insn[i], f->count - i - 1)) {
			free(f);
			return -EINVAL;
		}
	if (BPF_CLASS(f->insn[f->count - 1].code) != BPF_RET) {
		free(f);
		return -EINVAL;
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

static bool load(const struct view *v, uint16_t code, uint32_t at, uint32_t *ret)
{
	unsigned n = BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
	uint32_t value = 0;
	uint8_t b;

	if ((int32_t)at < 0 && (int32_t)at >= SKF_AD_OFF && (int32_t)at < SKF_AD_OFF + SKF_AD_MAX)
		return ancillary(v, at - (uint32_t)SKF_AD_OFF, ret);
	for (unsigned i = 0; i < n; i++) {
		if (!load_byte(v, at + i, &b))
			return false;
		value = value << 8 | b;
	}
	*ret = value;
	return true;
}

static bool alu(uint16_t op, uint32_t *a, uint32_t b)
{
	switch (op) {
	case BPF_ADD: *a += b; return true;
	case BPF_SUB: *a -= b; return true;
	case BPF_MUL: *a *= b; return true;
	case BPF_DIV: *a = b ? *a / b : 0; return b != 0;
	case BPF_MOD: *a = b ? *a % b : 0; return b != 0;
	case BPF_AND: *a &= b; return true;
	case BPF_OR: *a |= b; return true;
	case BPF_XOR: *a ^= b; return true;
	case BPF_LSH: *a <<= b & 31; return true;
	case BPF_RSH: *a >>= b & 31; return true;
	default: *a = -*a; return true; /* BPF_NEG */
	}
}

static bool taken(uint16_t op, uint32_t a, uint32_t b)
{
	return op == BPF_JEQ ? a == b : op == BPF_JGT ? a > b : op == BPF_JGE ? a >= b : (a & b) != 0;
}

static uint32_t run(const struct sock_filter *pc, const struct view *v)
{
	uint32_t a = 0, x = 0, mem[BPF_MEMWORDS] = {0};
	uint8_t byte;

	for (;; pc++) {
		uint32_t b = BPF_SRC(pc->code) == BPF_X ? x : pc->k;

		switch (BPF_CLASS(pc->code)) {
		case BPF_LD:
			switch (BPF_MODE(pc->code)) {
			case BPF_ABS:
				if (!load(v, pc->code, pc->k, &a))
					return 0;
				break;
			case BPF_IND:
				if (!load(v, pc->code, x + pc->k, &a))
					return 0;
				break;
			case BPF_LEN: a = v->size; break;
			case BPF_MEM: a = mem[pc->k]; break;
			default: a = pc->k;
			}
			break;
		case BPF_LDX:
			if (BPF_MODE(pc->code) == BPF_MSH) {
				if (!load_byte(v, pc->k, &byte))
					return 0;
				x = (byte & 0xfu) * 4;
			} else {
				x = BPF_MODE(pc->code) == BPF_LEN ? v->size
				    : BPF_MODE(pc->code) == BPF_MEM ? mem[pc->k] : pc->k;
			}
			break;
		case BPF_ST: mem[pc->k] = a; break;
		case BPF_STX: mem[pc->k] = x; break;
		case BPF_ALU:
			if (!alu(BPF_OP(pc->code), &a, b))
				return 0;
			break;
		case BPF_JMP:
			if (BPF_OP(pc->code) == BPF_JA)
				pc += pc->k;
			else
				pc += taken(BPF_OP(pc->code), a, b) ? pc->jt : pc->jf;
			break;
		case BPF_RET:
			return BPF_RVAL(pc->code) == BPF_A ? a : pc->k;
		default:
			if (BPF_MISCOP(pc->code) == BPF_TAX)
				x = a;
			else
				a = x;
		}
	}
}

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
	n = run(k->filter->insn, &v);
	return n <= v.head_size ? 0 : n - v.head_size;
}
