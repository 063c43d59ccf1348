/* Seccomp's classic BPF: what the checker refuses and what the interpreter computes. */
#include "tests/unit/kernel/harness.h"

#include <errno.h>
#include <linux/filter.h>
#include "common/base/util.h"
#include "services/sysd/task/bpf.h"

#define S(c, k) {(c), 0, 0, (k)}
#define J(c, k, t, f) {(c), (t), (f), (k)}

static uint32_t run(const struct abi_sock_filter *f, unsigned count, const struct abi_seccomp_data *d)
{
	assert_int_equal(bpf_check(f, count), 0);
	return bpf_run(f, d);
}

static void refuses_bad_programs(void **state)
{
	const struct abi_sock_filter ret = S(BPF_RET | BPF_K, 0);
	const struct abi_sock_filter bad[][2] = {
		{S(BPF_LD | BPF_W | BPF_ABS, 64), ret}, /* beyond the data */
		{S(BPF_LD | BPF_W | BPF_ABS, 2), ret},  /* not aligned */
		{S(BPF_LD | BPF_H | BPF_ABS, 0), ret},
		{S(BPF_LD | BPF_W | BPF_IND, 0), ret},
		{S(BPF_LD | BPF_MEM, 0), ret}, /* never stored */
		{S(BPF_ST, 16), ret},
		{S(BPF_JMP | BPF_JA, 1), ret},
		{S(BPF_JMP | BPF_JA, 0xffffffff), ret},
		{J(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), ret},
		{S(BPF_ALU | BPF_DIV | BPF_K, 0), ret},
		{S(BPF_ALU | BPF_LSH | BPF_K, 32), ret},
		{S(BPF_RET | BPF_X, 0), ret},
		{S(0xffff, 0), ret},
		{ret, S(BPF_LD | BPF_IMM, 1)}, /* no return at the end */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(bpf_check(bad[i], 2), -EINVAL);
	assert_int_equal(bpf_check(&ret, 0), -EINVAL);
	assert_int_equal(bpf_check(&ret, BPF_MAX_INSNS + 1), -EINVAL);
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

	assert_int_equal(bpf_check(one_way, ARRAY_SIZE(one_way)), -EINVAL);
	assert_int_equal(bpf_check(both, ARRAY_SIZE(both)), 0);
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
		cmocka_unit_test(a_cell_must_be_stored_on_every_way),
		cmocka_unit_test(computes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
