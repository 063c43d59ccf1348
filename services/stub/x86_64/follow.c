/* See follow.h. The forms are those that compilers put behind system calls: the test of the result, or
 * its move to another register. */
#include "services/stub/stub.h"
#include "services/stub/x86_64/follow.h"

#define ARITH_FLAGS 0x8d5ul

enum form { F_NONE, F_CMP64_32, F_CMP32_32, F_CMP64_8, F_CMP32_8, F_TEST64, F_TEST32_JCC, F_MOV, F_MOVSLQ, F_RET };

/* Two bytes that align what comes next: nobody runs into them, nor jumps to them. */
static bool is_padding(const uint8_t *c)
{
	return (c[0] == 0x66 && c[1] == 0x2e && c[2] == 0x0f && c[3] == 0x1f) ||
	       (c[0] == 0x66 && c[1] == 0x0f && c[2] == 0x1f) || (c[0] == 0x0f && c[1] == 0x1f) ||
	       (c[0] == 0x66 && c[1] == 0x90) || (c[0] == 0x90 && c[1] == 0x90) ||
	       (c[0] == 0xcc && c[1] == 0xcc);
}

static enum form form_of(const uint8_t *c)
{
	if (c[0] == 0xc3 && is_padding(c + 1))
		return F_RET;
	if (c[0] == 0x48 && c[1] == 0x3d)
		return F_CMP64_32; /* cmp $imm32, %rax */
	if (c[0] == 0x3d)
		return F_CMP32_32;
	if (c[0] == 0x48 && c[1] == 0x83 && c[2] == 0xf8)
		return F_CMP64_8;
	if (c[0] == 0x83 && c[1] == 0xf8)
		return F_CMP32_8;
	if (c[0] == 0x48 && c[1] == 0x85 && c[2] == 0xc0)
		return F_TEST64; /* test %rax, %rax */
	if (c[0] == 0x85 && c[1] == 0xc0 && (c[2] == 0x74 || c[2] == 0x75 || c[2] == 0x78 || c[2] == 0x79))
		return F_TEST32_JCC; /* test %eax, %eax; je, jne, js or jns near by */
	/* mov %rax or %eax to a register that is not rsp; a 32-bit one needs the prefix for 3 bytes */
	if ((c[0] == 0x48 || c[0] == 0x49 || c[0] == 0x41) && c[1] == 0x89 && (c[2] & 0xf8) == 0xc0 &&
	    !(c[0] == 0x48 && c[2] == 0xc4))
		return F_MOV;
	if ((c[0] == 0x48 || c[0] == 0x4c) && c[1] == 0x63 && (c[2] & 0xc7) == 0xc0 &&
	    !(c[0] == 0x48 && c[2] == 0xe0))
		return F_MOVSLQ; /* movslq %eax, reg */
	return F_NONE;
}

unsigned follow_size(const uint8_t code[FOLLOW_MAX])
{
	switch (form_of(code)) {
	case F_CMP64_32:
		return 6;
	case F_CMP32_32:
		return 5;
	case F_CMP64_8:
	case F_TEST32_JCC:
		return 4;
	case F_CMP32_8:
	case F_TEST64:
	case F_MOV:
	case F_MOVSLQ:
	case F_RET:
		return 3;
	default:
		return 0;
	}
}

/* By the number that instructions use; rsp is not among them here. */
static uint64_t *reg(struct sbx_regs *r, unsigned n)
{
	switch (n) {
	case 0:
		return &r->rax;
	case 1:
		return &r->rcx;
	case 2:
		return &r->rdx;
	case 3:
		return &r->rbx;
	case 5:
		return &r->rbp;
	case 6:
		return &r->rsi;
	case 7:
		return &r->rdi;
	case 8:
		return &r->r8;
	case 9:
		return &r->r9;
	case 10:
		return &r->r10;
	case 11:
		return &r->r11;
	case 12:
		return &r->r12;
	case 13:
		return &r->r13;
	case 14:
		return &r->r14;
	case 15:
		return &r->r15;
	default:
		return &r->rsp;
	}
}

static void set_flags(struct sbx_regs *r, uint64_t f)
{
	r->eflags = (r->eflags & ~ARITH_FLAGS) | (f & ARITH_FLAGS);
}

static void cmp64(struct sbx_regs *r, int32_t imm)
{
	uint64_t f, v = (uint64_t)(int64_t)imm;

	__asm__("cmpq %2, %1\n\tpushfq\n\tpopq %0" : "=r"(f) : "r"(r->rax), "r"(v) : "cc", "memory");
	set_flags(r, f);
}

static void cmp32(struct sbx_regs *r, int32_t imm)
{
	uint64_t f;

	__asm__("cmpl %2, %1\n\tpushfq\n\tpopq %0"
		: "=r"(f)
		: "r"((uint32_t)r->rax), "r"((uint32_t)imm)
		: "cc", "memory");
	set_flags(r, f);
}

static void test64(struct sbx_regs *r, uint64_t v)
{
	uint64_t f;

	__asm__("testq %1, %1\n\tpushfq\n\tpopq %0" : "=r"(f) : "r"(v) : "cc", "memory");
	set_flags(r, f);
}

static void test32_jcc(const uint8_t *c, struct sbx_regs *r)
{
	uint32_t v = (uint32_t)r->rax;
	bool zero = !v, minus = v >> 31, taken;

	/* Sign and zero are those of the low half; the parity's byte is the same. */
	test64(r, (uint64_t)(int64_t)(int32_t)v);
	taken = c[2] == 0x74 ? zero : c[2] == 0x75 ? !zero : c[2] == 0x78 ? minus : !minus;
	r->rip += 4 + (taken ? (uint64_t)(int64_t)(int8_t)c[3] : 0);
}

void follow_run(const uint8_t code[FOLLOW_MAX], struct sbx_regs *r)
{
	enum form form = form_of(code);
	int32_t imm;

	switch (form) {
	case F_CMP64_32:
		memcpy(&imm, code + 2, 4);
		cmp64(r, imm);
		break;
	case F_CMP32_32:
		memcpy(&imm, code + 1, 4);
		cmp32(r, imm);
		break;
	case F_CMP64_8:
		cmp64(r, (int8_t)code[3]);
		break;
	case F_CMP32_8:
		cmp32(r, (int8_t)code[2]);
		break;
	case F_TEST64:
		test64(r, r->rax);
		break;
	case F_TEST32_JCC:
		test32_jcc(code, r);
		return;
	case F_MOV:
		*reg(r, (code[2] & 7) | (code[0] & 1) << 3) = code[0] & 8 ? r->rax : (uint32_t)r->rax;
		break;
	case F_MOVSLQ:
		*reg(r, (code[2] >> 3 & 7) | (code[0] & 4) << 1) = (uint64_t)(int64_t)(int32_t)r->rax;
		break;
	case F_RET:
		r->rip = (uint64_t)code + FOLLOW_MAX;
		return;
	default:
		return;
	}
	r->rip += follow_size(code);
}
