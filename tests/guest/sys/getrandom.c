/* getrandom: lengths, flags, errors. */
#include "tests/guest/show.h"
#include <sys/random.h>
#include <sys/syscall.h>
int main(void)
{
	static unsigned char a[300000], b[64];
	unsigned zeros = 0;

	SHOW(getrandom(a, 16, 0));
	SHOW(getrandom(b, 16, GRND_NONBLOCK));
	CHECK(memcmp(a, b, 16) != 0);
	SHOW(getrandom(a, sizeof(a), 0));
	for (unsigned i = 0; i < sizeof(a); i++)
		zeros += !a[i];
	CHECK(zeros > 600 && zeros < 2000);
	SHOW(getrandom(a, 16, 0x80));
	SHOW(getrandom(a, 16, GRND_RANDOM | 4));
	SHOW(syscall(SYS_getrandom, 8, 16, 0));
	SHOW(getrandom(a, 0, 0));
	SHOW(getentropy(b, 64));
	SHOW(getentropy(a, 257));
	return 0;
}
