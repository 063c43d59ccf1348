/* The seccomp filter of guest processes: the wall around hostile code.
 *
 * The instruction pointer only routes: a call from outside the runtime's text becomes SIGSYS, which the
 * runtime turns into a request to sysd. What comes from the runtime's text may equally well be hostile
 * (anyone can jump there), so each entry of the list is harmless for every argument it lets through;
 * what carries a descriptor or makes a process asks memd (SECCOMP_RET_USER_NOTIF). */
#ifndef MEMD_FILTER_H
#define MEMD_FILTER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_FILTER_MAX 512

struct guest_filter {
	uint64_t text_start, text_end;  /* where the runtime's instructions lie */
	uint64_t clone_thread_flags;    /* exactly these are allowed */
	uint64_t clone_process_flags;   /* exactly these are notified */
	uint64_t slots_start;           /* where a process maps its slots */
};

/* Writes the program; returns its length in instructions or -E2BIG. */
int guest_filter_build(const struct guest_filter *f, struct sock_filter *prog, size_t max);
/* How many system calls it lets through in some shape. */
size_t guest_filter_count(void);
/* The entries, for docs and tests: number, name of the call, and why it is there. NULL past the end. */
struct guest_filter_entry {
	int nr;
	const char *name, *why;
};
const struct guest_filter_entry *guest_filter_entry(size_t index);

#endif
