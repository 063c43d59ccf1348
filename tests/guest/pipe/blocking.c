/* Readers and writers that sleep: large transfers between processes arrive whole and in order. */
#include "../say.h"
#define TOTAL (3 << 20)
static unsigned char buf[100000];
int main(void)
{
	static const size_t rsize[] = {1, 4096, 65536, 100000, 777}, wsize[] = {100000, 4097, 65536, 10, 4096};
	int p[2], status;

	for (int round = 0; round < 5; round++) {
		unsigned long sum = 0, count = 0, seed = 0;
		long n;

		MUST(pipe(p));
		fflush(stdout);
		if (!MUST(fork())) {
			close(p[0]);
			for (long left = TOTAL >> (wsize[round] < 100 ? 4 : rsize[round] < 100 ? 4 : 0); left > 0;) {
				size_t want = wsize[round] < (size_t)left ? wsize[round] : (size_t)left;

				for (size_t i = 0; i < want; i++)
					buf[i] = (unsigned char)((seed++ * 2654435761u) >> 13);
				if (write(p[1], buf, want) != (long)want)
					_exit(1);
				left -= want;
			}
			_exit(0);
		}
		close(p[1]);
		while ((n = read(p[0], buf, rsize[round])) > 0) {
			for (long i = 0; i < n; i++)
				sum = sum * 31 + buf[i];
			count += n;
		}
		close(p[0]);
		wait(&status);
		printf("%lu bytes, sum %lx, ", count, sum);
		say_exit(status);
	}
	return 0;
}
