/* What the layers of the stack and its tests use of packets beside pkt.h. */
#ifndef NETD_CORE_PKT_PRIV_H
#define NETD_CORE_PKT_PRIV_H

#include "netd/core/pkt.h"

/* Packets that are out and their bytes: a test ends with what it began with. */
unsigned pkt_pool_outstanding(void);
size_t pkt_pool_used(void);
/* How many bytes all packets together may take (256 MiB). */
void pkt_pool_set_limit(size_t bytes);
/* Gives free packets back to the allocator. */
void pkt_pool_trim(void);

void pkt_list_free(struct list *l);
/* Copies bytes from offset `off` (pieces outside included); the caller knows that they exist. */
void pkt_copy_out(const struct pkt *p, uint32_t off, void *dst, uint32_t size);
/* csum_partial over everything from offset `off` on, pieces outside included. */
uint32_t pkt_csum(const struct pkt *p, uint32_t off, uint32_t sum);

#endif
