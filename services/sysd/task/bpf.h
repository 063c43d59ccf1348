/* Classic BPF as seccomp(2) has it: programs are checked once, then run over struct seccomp_data. */
#ifndef SYSD_TASK_BPF_H
#define SYSD_TASK_BPF_H

#include <stdbool.h>
#include <stdint.h>

struct abi_sock_filter {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};
struct abi_seccomp_data {
	int32_t nr;
	uint32_t arch;
	uint64_t instruction_pointer;
	uint64_t args[6];
};
#define BPF_MAX_INSNS 4096

/* 0 or -EINVAL: an unknown instruction, a jump out of the program, a load beyond the data or of a
 * memory cell that was never stored, no return at the end. */
int bpf_check(const struct abi_sock_filter *prog, unsigned count);
/* Of a checked program. */
uint32_t bpf_run(const struct abi_sock_filter *prog, const struct abi_seccomp_data *data);

/* Whether the program answers a call of this number with one result whatever its arguments and its
 * instruction pointer are; then *ret is the result. */
bool bpf_constant(const struct abi_sock_filter *prog, uint32_t arch, uint32_t nr, uint32_t *ret);

#endif
