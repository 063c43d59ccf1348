/* adjtimex reads; settings need a privilege that is given up first. */
#include "tests/guest/show.h"
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/timex.h>
int main(void)
{
	struct timex tx = {.modes = 0};
	struct timeval tv = {1, 0}, bad = {0, 1000000};

	if (setresuid(1000, 1000, 1000))
		return 77;
	CHECK(adjtimex(&tx) >= 0);
	CHECK(tx.tick > 0);
	tx.modes = ADJ_FREQUENCY;
	SHOW(adjtimex(&tx));
	SHOW(settimeofday(&tv, NULL));
	SHOW(settimeofday(&bad, NULL));
	SHOW(adjtimex((void *)8));
	return 0;
}
