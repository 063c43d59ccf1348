/* The integer options of Internet sockets, by level and name: opttab.def has them. */
#ifndef SYSD_NET_INET_OPTTAB_H
#define SYSD_NET_INET_OPTTAB_H

#include <stdint.h>

enum inet_opt_id {
#define OPT(id, level, name, flags, min, max, init) OPT_##id,
#include "services/sysd/net/inet/opttab.def"
#undef OPT
	INET_OPT_COUNT
};

#define OPT_FWD 1u      /* netd obeys it too */
#define OPT_BOOL 2u     /* any value; kept as 0 or 1 */
#define OPT_BYTE 4u     /* one byte will do, both ways (IP options) */
#define OPT_ADMIN 8u    /* needs CAP_NET_ADMIN to be switched on */
#define OPT_DGRAM 16u   /* not on streams */
#define OPT_ASK 32u     /* netd knows the value of a connected socket better */
#define OPT_MASK8 64u   /* only the low byte counts */
#define OPT_GET 128u    /* read only */
#define OPT_RAWCAP 256u /* or CAP_NET_RAW */

struct inet_opt_info {
	int16_t level, name;
	uint16_t flags;
	int32_t min, max, init; /* min > max: no limit */
};
extern const struct inet_opt_info inet_opt_table[INET_OPT_COUNT];

#endif
