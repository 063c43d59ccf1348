/* Classic BPF: programs of guests are checked once, then run. What a program runs over is its kind's: seccomp(2) sees
 * the words of struct seccomp_data and nothing else, a socket filter the bytes of a datagram and facts about it. */
#ifndef SYSD_CORE_BPF_H
#define SYSD_CORE_BPF_H

#include <stdbool.h>
#include <stdint.h>

struct abi_sock_filter {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};
struct abi_sock_fprog {
	uint16_t count;
	uint8_t pad[6];
	uint64_t filter;
};
struct abi_seccomp_data {
	int32_t nr;
	uint32_t arch;
	uint64_t instruction_pointer;
	uint64_t args[6];
};
#define BPF_MAX_INSNS 4096

struct bpf_kind {
	/* Loads of bytes and halves, by index and of a header's length; modulo. */
	bool packets;
	/* May a program have a load of this size (BPF_W ...) from k? */
	bool (*may_load)(uint16_t size, uint32_t k);
	/* Loads what `code` (BPF_LD | size | BPF_ABS or BPF_IND) finds at `at`; false: the program ends with 0. */
	bool (*load)(const void *data, uint16_t code, uint32_t at, uint32_t *ret);
};

extern const struct bpf_kind bpf_seccomp; /* over struct abi_seccomp_data */

/* 0 or -EINVAL: no instruction or too many, an unknown one, a jump out of the program, a load that the kind has not or
 * of a memory cell that was never stored, a constant division by zero or shift by too much, no return at the end.
 * -ENOMEM. */
int bpf_check(const struct bpf_kind *kind, const struct abi_sock_filter *prog, unsigned count);
/* The result of a program that was checked for this kind, over `data` of `size` bytes as the program is told. */
uint32_t bpf_run(const struct bpf_kind *kind, const struct abi_sock_filter *prog, const void *data, uint32_t size);

/* Whether the seccomp program answers a call of this number with one result whatever its arguments and its
 * instruction pointer are; then *ret is the result. */
bool bpf_constant(const struct abi_sock_filter *prog, uint32_t arch, uint32_t nr, uint32_t *ret);

#endif
