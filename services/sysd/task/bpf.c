/* The checker and the interpreter of seccomp filters. Jumps only go forward, so a program ends. */
#include "services/sysd/task/bpf.h"
#include <errno.h>
#include <linux/filter.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static int check_insn(const struct abi_sock_filter *f, unsigned pc, unsigned count)
{
	unsigned left = count - pc - 1;

	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return f->k >= sizeof(struct abi_seccomp_data) || f->k & 3 ? -EINVAL : 0;
	case BPF_ALU | BPF_DIV | BPF_K:
		return f->k ? 0 : -EINVAL;
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		return f->k < 32 ? 0 : -EINVAL;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return f->k < BPF_MEMWORDS ? 0 : -EINVAL;
	case BPF_JMP | BPF_JA:
		return f->k < left ? 0 : -EINVAL;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JEQ | BPF_X:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_X:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_X:
	case BPF_JMP | BPF_JSET | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_X:
		return f->jt < left && f->jf < left ? 0 : -EINVAL;
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_ALU | BPF_ADD | BPF_K:
	case BPF_ALU | BPF_ADD | BPF_X:
	case BPF_ALU | BPF_SUB | BPF_K:
	case BPF_ALU | BPF_SUB | BPF_X:
	case BPF_ALU | BPF_MUL | BPF_K:
	case BPF_ALU | BPF_MUL | BPF_X:
	case BPF_ALU | BPF_DIV | BPF_X:
	case BPF_ALU | BPF_AND | BPF_K:
	case BPF_ALU | BPF_AND | BPF_X:
	case BPF_ALU | BPF_OR | BPF_K:
	case BPF_ALU | BPF_OR | BPF_X:
	case BPF_ALU | BPF_XOR | BPF_K:
	case BPF_ALU | BPF_XOR | BPF_X:
	case BPF_ALU | BPF_LSH | BPF_X:
	case BPF_ALU | BPF_RSH | BPF_X:
	case BPF_ALU | BPF_NEG:
		return 0;
	default:
		return -EINVAL;
	}
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

int bpf_check(const struct abi_sock_filter *prog, unsigned count)
{
	if (!count || count > BPF_MAX_INSNS)
		return -EINVAL;
	for (unsigned pc = 0; pc < count; pc++)
		if (check_insn(&prog[pc], pc, count))
			return -EINVAL;
	if (BPF_CLASS(prog[count - 1].code) != BPF_RET)
		return -EINVAL;
	return check_memory(prog, count);
}

static uint32_t alu(uint16_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return b ? a / b : 0;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & 31);
	case BPF_RSH:
		return a >> (b & 31);
	default:
		return -a; /* BPF_NEG */
	}
}

static int taken(uint16_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default:
		return (a & b) != 0; /* BPF_JSET */
	}
}

uint32_t bpf_run(const struct abi_sock_filter *pc, const struct abi_seccomp_data *data)
{
	uint32_t a = 0, x = 0, mem[BPF_MEMWORDS] = {0};

	for (;; pc++) {
		uint32_t b = BPF_SRC(pc->code) == BPF_X ? x : pc->k;

		switch (BPF_CLASS(pc->code)) {
		case BPF_LD:
			if (BPF_MODE(pc->code) == BPF_ABS)
				memcpy(&a, (const char *)data + pc->k, 4);
			else if (BPF_MODE(pc->code) == BPF_LEN)
				a = sizeof(*data);
			else
				a = BPF_MODE(pc->code) == BPF_MEM ? mem[pc->k] : pc->k;
			break;
		case BPF_LDX:
			if (BPF_MODE(pc->code) == BPF_LEN)
				x = sizeof(*data);
			else
				x = BPF_MODE(pc->code) == BPF_MEM ? mem[pc->k] : pc->k;
			break;
		case BPF_ST:
			mem[pc->k] = a;
			break;
		case BPF_STX:
			mem[pc->k] = x;
			break;
		case BPF_ALU:
			/* a division by a zero in X ends the program with 0, as Linux has it */
			if (pc->code == (BPF_ALU | BPF_DIV | BPF_X) && !x)
				return 0;
			a = alu(BPF_OP(pc->code), a, b);
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
