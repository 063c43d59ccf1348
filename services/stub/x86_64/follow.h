/* The instruction behind a `syscall`, which a patch of that site takes the place of. */
#ifndef STUB_FOLLOW_H
#define STUB_FOLLOW_H

#include <stdint.h>

#define FOLLOW_MAX 8 /* bytes that are looked at */

struct sbx_regs;

/* Its length when it is one of those known here, which have at least 3 bytes (a jump needs 5, the
 * `syscall` has 2), and touch registers only or return; else 0. */
unsigned follow_size(const uint8_t code[FOLLOW_MAX]);
/* Carries it out: registers, flags, rip (which stands on it). A `ret` reads memory, which may fault: rip
 * is then the address of one, which has to stand behind the FOLLOW_MAX bytes. */
void follow_run(const uint8_t code[FOLLOW_MAX], struct sbx_regs *r);

#endif
