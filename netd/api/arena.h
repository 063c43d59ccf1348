/* The arena that netd shares with sysd (common/chan/netshm.h): its memory, and who has which region and which
 * control block. */
#ifndef NETD_API_ARENA_H
#define NETD_API_ARENA_H

#include <stdbool.h>
#include <stdint.h>
#include "common/chan/netshm.h"
#include "common/ipc/msg_net.h"

#define REGION_MIN_SHIFT 13u
#define REGION_MAX_SHIFT 24u

struct region_list {
	uint64_t *off;             /* used from the end */
	unsigned count, room;
	unsigned cold;             /* the first ones, which have no memory of the host */
	unsigned low;              /* the smallest count since arena_tidy: those before have had no user */
};

struct arena {
	int fd;
	uint8_t *base;
	uint64_t size, next;       /* nothing was ever given out from `next` on */
	struct region_list free[REGION_MAX_SHIFT + 1];
	unsigned puts, merge_at;   /* regions that came back since the last merge, and how many it takes for the next */
	uint32_t *free_ctl, free_count, ctl_used;
};

/* Makes, seals and maps the memory. 0 or -errno. */
int arena_init(struct arena *a, uint64_t size);
void arena_done(struct arena *a);
/* A region of at least `size` bytes (a power of two between 8 KiB and 16 MiB comes out). -ENOMEM. */
int arena_get(struct arena *a, uint64_t size, struct net_place *ret);
/* `used`: how many bytes of it were touched, at most; pages beyond a few are given back to the host. Accepts an empty
 * place, and empties it. */
void arena_put(struct arena *a, struct net_place *p, uint64_t used);
/* Are there regions that stay warm for nobody? Then arena_tidy, now and then: gives the memory back of those that had no
 * user since the last time, `max` of them at most. How many it was; below max: all. */
bool arena_untidy(const struct arena *a);
unsigned arena_tidy(struct arena *a, unsigned max);
/* A control block, zeroed but for its pending words; -ENFILE. */
int64_t arena_get_ctl(struct arena *a);
void arena_put_ctl(struct arena *a, uint32_t index);

#endif
