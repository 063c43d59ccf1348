/* Sets of slots (common/slot/slot.h), each a memfd of memd's that stays mapped here over the lives of
 * several processes: see memd/slots.c for when a set may have another. */
#ifndef SYSD_PLATFORM_SLOTS_H
#define SYSD_PLATFORM_SLOTS_H

#include <stdbool.h>
#include <stdint.h>
#include "common/slot/slot.h"

struct slots;

/* What becomes of a set that is not needed here: for_blank says that it is clear and may serve memd;
 * otherwise it is gone. */
void slots_init(void (*give)(uint64_t id, bool for_blank));
/* Maps fd (taken). 0 or -errno. */
int slots_new(uint64_t id, int fd, struct slots **ret_set);
struct sbx_slot *slots_memory(const struct slots *set);
uint64_t slots_id(const struct slots *set);
/* A clear set for a new process, or NULL. */
struct slots *slots_take(void);
/* A set that was given for a blank is in use again; NULL: not one of those. */
struct slots *slots_take_given(uint64_t id);
/* Its process has ended. reusable: nobody else has it mapped; it holds `bytes` of memory (UINT64_MAX: not known), and
 * its process's first thread had the slot `index`. */
void slots_put(struct slots *set, bool reusable, uint32_t index, uint64_t bytes);
/* A new set, clear. */
void slots_add(struct slots *set);

#endif
