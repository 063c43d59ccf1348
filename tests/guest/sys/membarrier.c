/* membarrier: what is there, registration before use. */
#include "tests/guest/show.h"
#include <linux/membarrier.h>
#include <sys/syscall.h>
#define MB(c, f) syscall(SYS_membarrier, c, f, 0)
int main(void)
{
	long q = MB(MEMBARRIER_CMD_QUERY, 0);

	CHECK(q > 0 && q & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	SHOW(MB(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
	SHOW(MB(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
	return 0;
}
