/* Which of sysd's host descriptors memd holds, by object id: the least recently used goes first. sysd
 * alone decides, so the two never disagree. */
#ifndef SYSD_MM_FDCACHE_H
#define SYSD_MM_FDCACHE_H
#include <stdbool.h>
#include <stdint.h>

#define FDCACHE_MAX 256

/* Notes a use. True: memd has it. False: it has to be passed now, and is known from then on;
 * *ret_evicted is set to what must be forgotten in exchange, if anything. */
bool fdcache_use(uint64_t object_id, uint64_t *ret_evicted);
/* True when it was known. */
bool fdcache_forget(uint64_t object_id);

#endif
