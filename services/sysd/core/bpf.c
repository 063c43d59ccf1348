/* The checker and the interpreter of classic BPF. Jumps only go forward, so a program ends; the interpreter looks at
 * parts of a code only, so the checker knows each code to the bit: one with a bit more would pass for another one
 * whose operands were not checked. */
#include "services/sysd/core/bpf.h"

#include <errno.h>
#include <linux/filter.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Instructions of every kind. */
static bool known(uint16_t code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_W | BPF_LEN:
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

static bool known_of_packets(uint16_t code)
{
	switch (code) {
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LDX | BPF_B | BPF_MSH:
	case BPF_ALU | BPF_MOD | BPF_K:
	case BPF_ALU | BPF_MOD | BPF_X:
		return true;
	}
	return false;
}

/* left: how many instructions follow. */
static bool insn_ok(const struct bpf_kind *kind, const struct abi_sock_filter *f, unsigned left)
{
	if (!known(f->code) && !(kind->packets && known_of_packets(f->code)))
		return false;
	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
		return kind->may_load(BPF_SIZE(f->code), f->k);
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

/* Every load from memory must follow a store on each way there. valid[pc]: cells stored before pc. */
static int check_memory(const struct abi_sock_filter *prog, unsigned count)
{
	uint16_t *valid = malloc(count * sizeof(*valid)), now = 0;
	int ret = 0;

	if (!valid)
		return -ENOMEM;
	memset(valid, 0xff, count * sizeof(*valid));
	for (unsigned pc = 0; pc < count && !ret; pc++) {
		const struct abi_sock_filter *f = &prog[pc];

		now &= valid[pc];
		switch (f->code) {
		case BPF_ST:
		case BPF_STX:
			now |= (uint16_t)(1u << f->k);
			break;
		case BPF_LD | BPF_MEM:
		case BPF_LDX | BPF_MEM:
			if (!(now & 1u << f->k))
				ret = -EINVAL;
			break;
		case BPF_JMP | BPF_JA:
			valid[pc + 1 + f->k] &= now;
			now = 0xffff;
			break;
		default:
			if (BPF_CLASS(f->code) == BPF_JMP) {
				valid[pc + 1 + f->jt] &= now;
				valid[pc + 1 + f->jf] &= now;
				now = 0xffff;
			}
		}
	}
	free(valid);
	return ret;
}

int bpf_check(const struct bpf_kind *kind, const struct abi_sock_filter *prog, unsigned count)
{
	if (!count || count > BPF_MAX_INSNS)
		return -EINVAL;
	for (unsigned pc = 0; pc < count; pc++)
		if (!insn_ok(kind, &prog[pc], count - pc - 1))
			return -EINVAL;
	if (BPF_CLASS(prog[count - 1].code) != BPF_RET)
		return -EINVAL;
	return check_memory(prog, count);
}

/* false: a division by a zero in X, which ends the program with 0, as Linux has it. */
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

uint32_t bpf_run(const struct bpf_kind *kind, const struct abi_sock_filter *pc, const void *data, uint32_t size)
{
	uint32_t a = 0, x = 0, mem[BPF_MEMWORDS] = {0}, byte;

	for (;; pc++) {
		uint32_t b = BPF_SRC(pc->code) == BPF_X ? x : pc->k;

		switch (BPF_CLASS(pc->code)) {
		case BPF_LD:
			switch (BPF_MODE(pc->code)) {
			case BPF_ABS:
				if (!kind->load(data, pc->code, pc->k, &a))
					return 0;
				break;
			case BPF_IND:
				if (!kind->load(data, pc->code, x + pc->k, &a))
					return 0;
				break;
			case BPF_LEN: a = size; break;
			case BPF_MEM: a = mem[pc->k]; break;
			default: a = pc->k; /* BPF_IMM */
			}
			break;
		case BPF_LDX:
			switch (BPF_MODE(pc->code)) {
			case BPF_MSH:
				if (!kind->load(data, BPF_LD | BPF_B | BPF_IND, pc->k, &byte))
					return 0;
				x = (byte & 0xfu) * 4;
				break;
			case BPF_LEN: x = size; break;
			case BPF_MEM: x = mem[pc->k]; break;
			default: x = pc->k;
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
		default: /* BPF_MISC */
			if (BPF_MISCOP(pc->code) == BPF_TAX)
				x = a;
			else
				a = x;
		}
	}
}

/* ---- seccomp ------------------------------------------------------------------------------------ */

static bool seccomp_may_load(uint16_t size, uint32_t k)
{
	return size == BPF_W && k < sizeof(struct abi_seccomp_data) && !(k & 3);
}

static bool seccomp_load(const void *data, uint16_t code, uint32_t at, uint32_t *ret)
{
	(void)code;
	memcpy(ret, (const char *)data + at, sizeof(*ret)); /* seccomp_may_load has seen it */
	return true;
}

const struct bpf_kind bpf_seccomp = {.may_load = seccomp_may_load, .load = seccomp_load};

/* Runs what depends on number and architecture alone; anything else is not known, and so no constant. */
bool bpf_constant(const struct abi_sock_filter *pc, uint32_t arch, uint32_t nr, uint32_t *ret)
{
	uint32_t a = 0;

	for (;; pc++) {
		switch (pc->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (pc->k == offsetof(struct abi_seccomp_data, nr))
				a = nr;
			else if (pc->k == offsetof(struct abi_seccomp_data, arch))
				a = arch;
			else
				return false;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= pc->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += pc->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += taken(BPF_OP(pc->code), a, pc->k) ? pc->jt : pc->jf;
			break;
		case BPF_RET | BPF_K:
			*ret = pc->k;
			return true;
		default:
			return false;
		}
	}
}
