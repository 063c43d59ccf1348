/* Classic BPF of both kinds: what the checker refuses and what the interpreter computes. */
#include "tests/unit/kernel/harness.h"

#include <errno.h>
#include <linux/filter.h>
#include "common/base/util.h"
#include "services/sysd/core/bpf.h"

#define S(c, k) {(c), 0, 0, (k)}
#define J(c, k, t, f) {(c), (t), (f), (k)}

static uint32_t run(const struct abi_sock_filter *f, unsigned count, const struct abi_seccomp_data *d)
{
	assert_int_equal(bpf_check(&bpf_seccomp, f, count), 0);
	return bpf_run(&bpf_seccomp, f, d, sizeof(*d));
}

/* A packet: what stands before the bytes tells the end of it to the kind's load. */
struct packet {
	uint32_t size;
	const uint8_t *bytes;
};

static bool packet_may_load(uint16_t size, uint32_t k)
{
	(void)size;
	return k < 0xfffff000;
}

static bool packet_load(const void *data, uint16_t code, uint32_t at, uint32_t *ret)
{
	const struct packet *p = data;
	uint32_t n = BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1, value = 0;

	if (at > p->size || p->size - at < n)
		return false;
	while (n--)
		value = value << 8 | p->bytes[at++];
	*ret = value;
	return true;
}

static const struct bpf_kind packets = {.packets = true, .may_load = packet_may_load, .load = packet_load};

static uint32_t run_packet(const struct abi_sock_filter *f, unsigned count)
{
	static const uint8_t bytes[] = {0x45, 1, 2, 3, 4, 5, 6, 7};
	const struct packet p = {sizeof(bytes), bytes};

	assert_int_equal(bpf_check(&packets, f, count), 0);
	return bpf_run(&packets, f, &p, p.size);
}

static void refused_by_both(const struct abi_sock_filter *f, unsigned count)
{
	assert_int_equal(bpf_check(&bpf_seccomp, f, count), -EINVAL);
	assert_int_equal(bpf_check(&packets, f, count), -EINVAL);
}

static void refuses_bad_programs(void **state)
{
	const struct abi_sock_filter ret = S(BPF_RET | BPF_K, 0);
	const struct abi_sock_filter bad[][2] = {
		{S(BPF_LD | BPF_MEM, 0), ret}, /* never stored */
		{S(BPF_LDX | BPF_MEM, 15), ret},
		{S(BPF_ST, 16), ret},
		{S(BPF_STX, 16), ret},
		{S(BPF_ST, 0xffffffff), ret},
		{S(BPF_LD | BPF_MEM, 16), ret},
		{S(BPF_LDX | BPF_MEM, 0x80000000), ret},
		{S(BPF_JMP | BPF_JA, 1), ret},
		{S(BPF_JMP | BPF_JA, 0xffffffff), ret},
		{S(BPF_JMP | BPF_JA, 0xfffffffe), ret},
		{J(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), ret},
		{J(BPF_JMP | BPF_JSET | BPF_X, 0, 255, 0), ret},
		{S(BPF_ALU | BPF_DIV | BPF_K, 0), ret},
		{S(BPF_ALU | BPF_MOD | BPF_K, 0), ret},
		{S(BPF_ALU | BPF_LSH | BPF_K, 32), ret},
		{S(BPF_ALU | BPF_RSH | BPF_K, 0xffffffff), ret},
		{S(BPF_ALU | BPF_NEG | BPF_X, 0), ret},
		{S(BPF_ALU | 0xb0 | BPF_K, 1), ret}, /* beyond the operations that there are */
		{S(BPF_JMP | 0x50 | BPF_K, 0), ret},
		{S(BPF_ST | BPF_MEM, 16), ret}, /* a bit that the interpreter does not look at */
		{S(BPF_RET | BPF_X, 0), ret},
		{S(0xffff, 0), ret},
		{ret, S(BPF_LD | BPF_IMM, 1)}, /* no return at the end */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		refused_by_both(bad[i], 2);
	refused_by_both(&ret, 0);
}

static void refuses_bad_lengths(void **state)
{
	static struct abi_sock_filter prog[BPF_MAX_INSNS + 1];

	for (unsigned i = 0; i < ARRAY_SIZE(prog); i++)
		prog[i] = (struct abi_sock_filter)S(BPF_RET | BPF_K, 1);
	assert_int_equal(bpf_check(&bpf_seccomp, prog, BPF_MAX_INSNS), 0);
	assert_int_equal(bpf_check(&packets, prog, BPF_MAX_INSNS), 0);
	refused_by_both(prog, BPF_MAX_INSNS + 1);
	refused_by_both(prog, UINT32_MAX);
	/* the longest jump, to the last instruction and one beyond it */
	prog[0] = (struct abi_sock_filter)S(BPF_JMP | BPF_JA, BPF_MAX_INSNS - 2);
	assert_int_equal(run_packet(prog, BPF_MAX_INSNS), 1);
	prog[0].k++;
	refused_by_both(prog, BPF_MAX_INSNS);
}

/* What one kind has and the other has not. */
static void kinds_differ(void **state)
{
	const struct abi_sock_filter ret = S(BPF_RET | BPF_K, 0);
	const struct abi_sock_filter of_packets[][2] = {
		{S(BPF_LD | BPF_W | BPF_ABS, 64), ret}, /* beyond the data */
		{S(BPF_LD | BPF_W | BPF_ABS, 2), ret},  /* not aligned */
		{S(BPF_LD | BPF_W | BPF_ABS, 0x80000000), ret},
		{S(BPF_LD | BPF_H | BPF_ABS, 0), ret},
		{S(BPF_LD | BPF_B | BPF_ABS, 0), ret},
		{S(BPF_LD | BPF_W | BPF_IND, 0), ret},
		{S(BPF_LD | BPF_B | BPF_IND, 0), ret},
		{S(BPF_LDX | BPF_B | BPF_MSH, 0), ret},
		{S(BPF_ALU | BPF_MOD | BPF_K, 3), ret},
		{S(BPF_ALU | BPF_MOD | BPF_X, 0), ret},
	};
	const struct abi_sock_filter forbidden[] = {S(BPF_LD | BPF_W | BPF_ABS, 0xfffff000), ret};

	for (unsigned i = 0; i < ARRAY_SIZE(of_packets); i++) {
		assert_int_equal(bpf_check(&bpf_seccomp, of_packets[i], 2), -EINVAL);
		assert_int_equal(bpf_check(&packets, of_packets[i], 2), 0);
	}
	refused_by_both(forbidden, 2);
}

static void loads_of_packets(void **state)
{
	const struct abi_sock_filter word[] = {S(BPF_LD | BPF_W | BPF_ABS, 4), S(BPF_RET | BPF_A, 0)};
	const struct abi_sock_filter far[] = {S(BPF_LD | BPF_W | BPF_ABS, 5), S(BPF_RET | BPF_K, 9)};
	const struct abi_sock_filter header[] = {
		S(BPF_LDX | BPF_B | BPF_MSH, 0), S(BPF_MISC | BPF_TXA, 0), S(BPF_RET | BPF_A, 0),
	};
	const struct abi_sock_filter far_header[] = {S(BPF_LDX | BPF_B | BPF_MSH, 8), S(BPF_RET | BPF_K, 9)};
	/* x + k comes round to a place within */
	const struct abi_sock_filter round[] = {
		S(BPF_LDX | BPF_IMM, 0xffffffff), S(BPF_LD | BPF_H | BPF_IND, 2), S(BPF_RET | BPF_A, 0),
	};
	const struct abi_sock_filter below[] = {
		S(BPF_LDX | BPF_IMM, 0xffffffff), S(BPF_LD | BPF_B | BPF_IND, 0), S(BPF_RET | BPF_K, 9),
	};
	const struct abi_sock_filter mod_zero[] = {
		S(BPF_LDX | BPF_IMM, 0), S(BPF_ALU | BPF_MOD | BPF_X, 0), S(BPF_RET | BPF_K, 9),
	};
	const struct abi_sock_filter mod[] = {
		S(BPF_LD | BPF_IMM, 17), S(BPF_ALU | BPF_MOD | BPF_K, 5), S(BPF_RET | BPF_A, 0),
	};
	/* by more than there are bits: the low five count */
	const struct abi_sock_filter shift[] = {
		S(BPF_LDX | BPF_IMM, 0xffffffe1), S(BPF_LD | BPF_IMM, 3), S(BPF_ALU | BPF_LSH | BPF_X, 0),
		S(BPF_RET | BPF_A, 0),
	};

	assert_int_equal(run_packet(word, 2), 0x04050607);
	assert_int_equal(run_packet(far, 2), 0);
	assert_int_equal(run_packet(header, 3), 20);
	assert_int_equal(run_packet(far_header, 2), 0);
	assert_int_equal(run_packet(round, 3), 0x0102);
	assert_int_equal(run_packet(below, 3), 0);
	assert_int_equal(run_packet(mod_zero, 3), 0);
	assert_int_equal(run_packet(mod, 3), 2);
	assert_int_equal(run_packet(shift, 4), 6);
}

static void a_cell_must_be_stored_on_every_way(void **state)
{
	const struct abi_sock_filter one_way[] = {
		J(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), S(BPF_ST, 3), S(BPF_LD | BPF_MEM, 3), S(BPF_RET | BPF_A, 0),
	};
	const struct abi_sock_filter both[] = {
		S(BPF_ST, 3), J(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), S(BPF_ST, 2), S(BPF_LD | BPF_MEM, 3),
		S(BPF_RET | BPF_A, 0),
	};

	refused_by_both(one_way, ARRAY_SIZE(one_way));
	assert_int_equal(bpf_check(&bpf_seccomp, both, ARRAY_SIZE(both)), 0);
	assert_int_equal(bpf_check(&packets, both, ARRAY_SIZE(both)), 0);
}

static void computes(void **state)
{
	const struct abi_seccomp_data d = {.nr = 39, .arch = 0xc000003e, .args = {0x1122334455667788}};
	const struct abi_sock_filter high[] = {S(BPF_LD | BPF_W | BPF_ABS, 20), S(BPF_RET | BPF_A, 0)};
	const struct abi_sock_filter sum[] = {
		S(BPF_LD | BPF_W | BPF_ABS, 0), S(BPF_MISC | BPF_TAX, 0), S(BPF_ALU | BPF_ADD | BPF_X, 0),
		S(BPF_ALU | BPF_MUL | BPF_K, 3), S(BPF_RET | BPF_A, 0),
	};
	const struct abi_sock_filter div_zero[] = {
		S(BPF_LDX | BPF_IMM, 0), S(BPF_LD | BPF_IMM, 9), S(BPF_ALU | BPF_DIV | BPF_X, 0), S(BPF_RET | BPF_K, 7),
	};
	const struct abi_sock_filter branch[] = {
		S(BPF_LD | BPF_W | BPF_ABS, 0), J(BPF_JMP | BPF_JGE | BPF_K, 39, 0, 1), S(BPF_RET | BPF_K, 1),
		S(BPF_RET | BPF_K, 2),
	};
	const struct abi_sock_filter len[] = {S(BPF_LD | BPF_W | BPF_LEN, 0), S(BPF_RET | BPF_A, 0)};

	assert_int_equal(run(high, 2, &d), 0x11223344);
	assert_int_equal(run(sum, 5, &d), 234);
	assert_int_equal(run(div_zero, 4, &d), 0);
	assert_int_equal(run(branch, 4, &d), 1);
	assert_int_equal(run(len, 2, &d), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_programs),
		cmocka_unit_test(refuses_bad_lengths),
		cmocka_unit_test(kinds_differ),
		cmocka_unit_test(loads_of_packets),
		cmocka_unit_test(a_cell_must_be_stored_on_every_way),
		cmocka_unit_test(computes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
