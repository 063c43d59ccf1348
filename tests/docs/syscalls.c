/* Prints docs/syscalls.md from the system call table and the handlers that are linked. */
#include <stdio.h>
#include "services/sysd/syscall/syscall.h"

int main(void)
{
	unsigned full = 0, partial = 0, missing = 0;

	for (int nr = 0; nr < SYSCALL_COUNT; nr++) {
		const struct syscall_desc *d = &syscall_table[nr];

		if (!d->name)
			continue;
		if (!d->fn)
			missing++;
		else if (d->support == SUP_PARTIAL)
			partial++;
		else
			full++;
	}
	printf("# System calls\n\n"
	       "Made from services/sysd/syscall/table.def and the handlers in the build "
	       "(`build/tests/docs/doc_syscalls`); a test compares. A missing call answers ENOSYS.\n\n"
	       "x86-64: %u entries: %u full, %u partial, %u missing.\n\n"
	       "Tier 0: the guest runtime may answer alone; 1: sysd; 2: another service takes part.\n\n"
	       "| nr | call | support | tier | note |\n|---|---|---|---|---|\n",
	       full + partial + missing, full, partial, missing);
	for (int nr = 0; nr < SYSCALL_COUNT; nr++) {
		const struct syscall_desc *d = &syscall_table[nr];

		if (d->name)
			printf("| %d | %s | %s | %d | %s |\n", nr, d->name,
			       !d->fn ? "missing" : d->support == SUP_PARTIAL ? "partial" : "full", d->tier,
			       d->note ? d->note : "");
	}
	return 0;
}
