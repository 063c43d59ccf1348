/* A TAP whose other end is the host's kernel, with the mishaps of a network between it and the stack: what netem does,
 * for kernels that have none, and by a seed. */
#ifndef TEST_NETD_RELAY_H
#define TEST_NETD_RELAY_H

#include <stdbool.h>
#include <stdint.h>

struct netif;
struct netstack;

struct mishaps {
	uint32_t loss_ppm, dup_ppm, corrupt_ppm, reorder_ppm;
	uint32_t delay_us, jitter_us, reorder_us;
	uint64_t rate;           /* bytes a second, 0: no limit */
	uint32_t queue;          /* bytes that wait for the rate; 0: 256 KiB */
};

struct relay;
/* Makes `name` in the network namespace of the caller, up, with these addresses on the host's side and the stack's.
 * offload: super-segments and unfinished checksums pass (no corruption then). NULL: errno says why. */
struct relay *relay_new(struct netstack *st, const char *name, uint32_t mtu, bool offload);
void relay_free(struct relay *r); /* behind the stack's end, which frees its interface */
struct netif *relay_netif(struct relay *r);
/* up: from the stack to the host. */
void relay_mishaps(struct relay *r, bool up, const struct mishaps *m);
int relay_fd(const struct relay *r);
/* Reads what the host sent, and moves what is due in both directions. True when anything moved. */
bool relay_run(struct relay *r, uint64_t now_us);
/* When the next frame is due; UINT64_MAX: none. */
uint64_t relay_next(const struct relay *r);

#endif
