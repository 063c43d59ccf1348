/* futex: wait, wake, values, timeouts, bitsets, requeue, errors. */
#include "tests/guest/show.h"
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
static uint32_t f, g, woken;
#define F(u, op, v, t, u2, v3) syscall(SYS_futex, u, op, v, t, u2, v3)
static void *waiter(void *a)
{
	uint32_t mask = (uint32_t)(uintptr_t)a;

	if (!F(&f, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, mask))
		__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}
static void settle(uint32_t n)
{
	for (int i = 0; i < 200 && __atomic_load_n(&woken, __ATOMIC_SEQ_CST) != n; i++)
		usleep(10000);
	printf("woken %u\n", woken);
}
int main(void)
{
	struct timespec ms20 = {0, 20000000}, bad = {0, 1000000000}, past = {1, 0};
	pthread_t t[4];

	SHOW(F(&f, FUTEX_WAIT, 1, NULL, NULL, 0));
	SHOW(F(&f, FUTEX_WAIT, 0, &ms20, NULL, 0));
	SHOW(F(&f, FUTEX_WAIT, 0, &bad, NULL, 0));
	SHOW(F(&f, FUTEX_WAIT_BITSET, 0, &past, NULL, 1));
	SHOW(F(&f, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
	SHOW(F(&f, FUTEX_WAKE, 1, NULL, NULL, 0));
	SHOW(F((char *)&f + 1, FUTEX_WAIT, 0, NULL, NULL, 0));
	SHOW(F((void *)8, FUTEX_WAIT, 0, NULL, NULL, 0));
	SHOW(F(&f, FUTEX_WAIT, 0, (void *)8, NULL, 0));
	SHOW(F(&f, 99, 0, NULL, NULL, 0));
	pthread_create(&t[0], NULL, waiter, (void *)1);
	pthread_create(&t[1], NULL, waiter, (void *)2);
	usleep(100000);
	SHOW(F(&f, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 10, NULL, NULL, 4));
	SHOW(F(&f, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 10, NULL, NULL, 2));
	settle(1);
	SHOW(F(&f, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 10, NULL, NULL, 0));
	settle(2);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	woken = 0;
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, waiter, (void *)-1);
	usleep(100000);
	SHOW(F(&f, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, (void *)10, &g, 7));
	SHOW(F(&f, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, (void *)10, &g, 0));
	settle(1);
	SHOW(F(&f, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 10, NULL, NULL, 0));
	SHOW(F(&g, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 10, NULL, NULL, 0));
	settle(3);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	g = 5;
	SHOW(F(&f, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, (void *)1, &g,
	       FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5)));
	printf("%u\n", g);
	return 0;
}
