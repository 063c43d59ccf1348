/* A directory tree under change: many names, moved, counted, removed. */
#include "fs.h"

int main(void)
{
	char a[64], b[64];
	struct stat st;
	int bad = 0;

	fs_enter();
	for (int i = 0; i < 20; i++) {
		snprintf(a, sizeof(a), "d%i", i);
		mkdir(a, 0755);
		for (int k = 0; k < 20; k++) {
			snprintf(a, sizeof(a), "d%i/f%i", i, k);
			fs_make(a, a);
		}
	}
	for (int i = 0; i < 20; i++)
		for (int k = 0; k < 20; k++) {
			snprintf(a, sizeof(a), "d%i/f%i", i, k);
			snprintf(b, sizeof(b), "d%i/m%i", (i + 1) % 20, k);
			bad += rename(a, b) < 0;
		}
	printf("bad %i\n", bad);
	for (int i = 0; i < 20; i++) {
		int n = 0;

		for (int k = 0; k < 20; k++) {
			snprintf(a, sizeof(a), "d%i/m%i", i, k);
			n += stat(a, &st) == 0;
		}
		if (n != 20)
			printf("d%i has %i\n", i, n);
	}
	fs_cat("d5/m7");
	for (int i = 19; i > 0; i--) {
		snprintf(a, sizeof(a), "d%i", i);
		snprintf(b, sizeof(b), "d%i/sub", i - 1);
		bad += rename(a, b) < 0;
	}
	printf("bad %i\n", bad);
	fs_cat("d0/sub/sub/sub/m7");
	T(rename("d0", "d0/sub/sub/x"));
	T(rename("d0/sub/sub", "d0"));
	T(chdir("d0/sub/sub/sub/sub"));
	T(rename("../../..", "x"));
	fs_cat("../../m3");
	return 0;
}
