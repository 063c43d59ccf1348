/* Two interfaces joined by a wire in memory, for tests: in two stacks (or one), on virtual time, with the mishaps of a
 * real network as far as they are asked for. What happens is a function of the seed and the packets. */
#ifndef NETD_LINK_MEMPAIR_H
#define NETD_LINK_MEMPAIR_H

#include <stdbool.h>
#include <stdint.h>

struct netif;
struct netstack;
struct pkt;

struct mempair_faults {
	uint32_t loss_ppm;       /* of a million frames, so many are lost */
	uint32_t dup_ppm;
	uint32_t reorder_ppm;    /* delayed by reorder_ms more than the others */
	uint32_t reorder_ms;
	uint32_t corrupt_ppm;    /* one bit is flipped */
	uint32_t delay_ms, jitter_ms;
	uint64_t rate;           /* bytes a second, 0: without end */
	uint32_t queue;          /* frames that wait for their time; 0: 1000 */
};

struct mempair;
/* Interfaces are named name_a and name_b, down, with these addresses; offers: NETIF_F_*. NULL: no memory. Each stack
 * frees its end; the pair goes with the second one. */
struct mempair *mempair_new(struct netstack *a, const char *name_a, const uint8_t mac_a[6], struct netstack *b,
			    const char *name_b, const uint8_t mac_b[6], uint32_t mtu, uint32_t features);
struct netif *mempair_end(struct mempair *m, int side); /* 0: a, 1: b */
/* Faults of what `side` sends. */
void mempair_set_faults(struct mempair *m, int side, const struct mempair_faults *f);
void mempair_seed(struct mempair *m, uint64_t seed);
/* Sees each frame that `side` sends, before the faults: false drops it. It may change the bytes. */
void mempair_set_filter(struct mempair *m, int side, bool (*fn)(void *arg, struct pkt *p), void *arg);

/* What the pair does with every other frame: as a link that looks at it before it reads it (netif_place). Nothing of a
 * payload that has a place is left in the packet. */
void mempair_place(struct netif *nif, struct pkt *p);

#endif
