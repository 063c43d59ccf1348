/* What a new program finds on its stack: strings, auxiliary vector, envp, argv, argc. */
#ifndef SYSD_EXEC_STACK_H
#define SYSD_EXEC_STACK_H

#include <stddef.h>
#include <stdint.h>

struct exec_stack {
	/* in */
	char *const *argv, *const *envp;
	const char *name;             /* AT_EXECFN */
	uint64_t top;                 /* page-aligned end of the stack */
	uint64_t auxv[2 * 28];        /* pairs without AT_NULL; AT_RANDOM, AT_EXECFN, AT_PLATFORM are added */
	unsigned auxv_count;          /* pairs */
	/* out */
	uint8_t *bytes;               /* what lies from sp up to the top; freed by exec_stack_done */
	size_t size;
	uint64_t sp;
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t saved_auxv[64];      /* with AT_NULL */
	unsigned saved_auxv_count;    /* words */
};

/* Bytes of strings and pointers that argv and envp need, or -E2BIG past `limit` (execve(2), "Limits on size
 * of arguments and environment"). */
int64_t exec_stack_measure(char *const *argv, char *const *envp, uint64_t limit);
/* 0, -ENOMEM. */
int exec_stack_build(struct exec_stack *st);
void exec_stack_done(struct exec_stack *st);

#endif
