/* The other end of a connection: a process of the host, on the host's TCP. */
#ifndef TEST_NETD_HOSTSIDE_H
#define TEST_NETD_HOSTSIDE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A stream of bytes that both ends know. */
struct stream {
	uint64_t x, hash, left;
};
void stream_init(struct stream *s, uint64_t seed, uint64_t bytes);
uint32_t stream_fill(struct stream *s, uint8_t *buf, uint32_t size); /* the next bytes; returns how many */
/* False: these are not the next bytes. */
bool stream_check(struct stream *s, const uint8_t *buf, uint32_t size);

/* Starts a process that accepts (listening when this returns) or connects, sends `bytes` and expects as many, then
 * closes. */
pid_t hostside_start(bool accepts, bool v6, uint16_t port, uint64_t bytes, const char *congestion);
/* 0: it was content; else it said why. */
int hostside_wait(pid_t pid);

#endif
