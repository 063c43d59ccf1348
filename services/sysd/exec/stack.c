/* The layout is the one of Linux on x86-64, from the top down: a null word, the program's name, the
 * environment strings, the argument strings, platform name and random bytes, padding, and the vectors. */
#include "services/sysd/exec/stack.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include "common/base/util.h"

#define STRING_MAX (32 * SBX_PAGE_SIZE) /* MAX_ARG_STRLEN */

static const char platform[] = "x86_64";

static int64_t add_strings(char *const *v, int64_t sum, uint64_t limit)
{
	for (; *v; v++) {
		size_t n = strlen(*v) + 1;

		if (n > STRING_MAX)
			return -E2BIG;
		sum += (int64_t)(n + sizeof(uint64_t));
		if ((uint64_t)sum > limit)
			return -E2BIG;
	}
	return sum;
}

int64_t exec_stack_measure(char *const *argv, char *const *envp, uint64_t limit)
{
	int64_t sum = add_strings(argv, 0, limit);

	return sum < 0 ? sum : add_strings(envp, sum, limit);
}

static size_t count(char *const *v)
{
	size_t n = 0;

	while (v[n])
		n++;
	return n;
}

static size_t strings_size(char *const *v)
{
	size_t n = 0;

	for (; *v; v++)
		n += strlen(*v) + 1;
	return n;
}

/* Copies strings to `at` and their addresses to words[]; returns the end. */
static uint64_t put_strings(const struct exec_stack *st, char *const *v, uint64_t at, uint64_t *words)
{
	for (; *v; v++) {
		size_t n = strlen(*v) + 1;

		memcpy(st->bytes + (at - st->sp), *v, n);
		*words++ = at;
		at += n;
	}
	*words = 0;
	return at;
}

int exec_stack_build(struct exec_stack *st)
{
	size_t argc = count(st->argv), envc = count(st->envp);
	uint64_t execfn = st->top - 8 - (strlen(st->name) + 1);
	uint64_t env = execfn - strings_size(st->envp), arg = env - strings_size(st->argv);
	uint64_t plat = ALIGN_DOWN(arg, 16ul) - 16, rnd = plat - 16;
	size_t words = 1 + argc + 1 + envc + 1 + 2 * (st->auxv_count + 4);
	uint64_t *w;

	st->sp = ALIGN_DOWN(rnd - words * 8, 16ul);
	st->size = st->top - st->sp;
	st->bytes = calloc(1, st->size);
	if (!st->bytes)
		return -ENOMEM;
	memcpy(st->bytes + (execfn - st->sp), st->name, strlen(st->name) + 1);
	memcpy(st->bytes + (plat - st->sp), platform, sizeof(platform));
	if (getrandom(st->bytes + (rnd - st->sp), 16, 0) != 16)
		return -EIO;

	w = (uint64_t *)st->bytes;
	*w++ = argc;
	st->arg_start = arg;
	st->arg_end = put_strings(st, st->argv, arg, w);
	w += argc + 1;
	st->env_start = env;
	st->env_end = put_strings(st, st->envp, env, w);
	w += envc + 1;

	uint64_t *aux = w;

	memcpy(w, st->auxv, st->auxv_count * 16);
	w += 2 * st->auxv_count;
	*w++ = AT_RANDOM;
	*w++ = rnd;
	*w++ = AT_EXECFN;
	*w++ = execfn;
	*w++ = AT_PLATFORM;
	*w++ = plat;
	*w++ = AT_NULL;
	*w++ = 0;
	st->saved_auxv_count = (unsigned)MIN((size_t)(w - aux), ARRAY_SIZE(st->saved_auxv));
	memcpy(st->saved_auxv, aux, st->saved_auxv_count * 8);
	return 0;
}

void exec_stack_done(struct exec_stack *st)
{
	free(st->bytes);
	st->bytes = NULL;
}
