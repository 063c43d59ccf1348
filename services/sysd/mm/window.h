/* The slot's window as usercopy and uio use it: pieces of guest memory that the runtime copied in, and
 * room for pieces that it will copy out with the reply. Contents are shared with hostile code: copy
 * before looking, or pass on as opaque bytes. */
#ifndef SYSD_MM_WINDOW_H
#define SYSD_MM_WINDOW_H

#include <stddef.h>
#include <stdint.h>

struct task;
/* The bytes from uaddr on when they stand in the window, and how many, or NULL. */
const uint8_t *window_find_in(struct task *t, uint64_t uaddr, size_t *ret_size);
/* Room that the reply copies to [uaddr, uaddr + size), or NULL. */
uint8_t *window_reserve_out(struct task *t, uint64_t uaddr, size_t size);
/* Gives back the unfilled end of the last reservation. */
void window_trim_out(struct task *t, size_t unused);

#endif
