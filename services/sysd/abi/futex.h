/* Guest ABI of futexes (x86-64 Linux). */
#ifndef SYSD_ABI_FUTEX_H
#define SYSD_ABI_FUTEX_H
#include <stdint.h>
#define ABI_FUTEX_WAIT 0
#define ABI_FUTEX_WAKE 1
#define ABI_FUTEX_REQUEUE 3
#define ABI_FUTEX_CMP_REQUEUE 4
#define ABI_FUTEX_WAKE_OP 5
#define ABI_FUTEX_LOCK_PI 6
#define ABI_FUTEX_UNLOCK_PI 7
#define ABI_FUTEX_TRYLOCK_PI 8
#define ABI_FUTEX_WAIT_BITSET 9
#define ABI_FUTEX_WAKE_BITSET 10
#define ABI_FUTEX_WAIT_REQUEUE_PI 11
#define ABI_FUTEX_CMP_REQUEUE_PI 12
#define ABI_FUTEX_LOCK_PI2 13
#define ABI_FUTEX_PRIVATE_FLAG 128
#define ABI_FUTEX_CLOCK_REALTIME 256
#define ABI_FUTEX_WAITERS 0x80000000u
#define ABI_FUTEX_OWNER_DIED 0x40000000u
#define ABI_FUTEX_TID_MASK 0x3fffffffu
struct abi_robust_list_head {
	uint64_t next;
	int64_t futex_offset;
	uint64_t list_op_pending;
};
#define ABI_ROBUST_LIST_LIMIT 2048
#endif
