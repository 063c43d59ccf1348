/* Listing /proc: own number, self and global files, each once; seeking back. */
#include "tests/guest/proc/util.h"
#include <dirent.h>
int main(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	char me[16];
	int mine, self, version, dots;

	snprintf(me, sizeof(me), "%d", getpid());
	for (int pass = 0; pass < 2; pass++) {
		mine = self = version = dots = 0;
		while ((e = readdir(d))) {
			mine += !strcmp(e->d_name, me) && e->d_type == DT_DIR;
			self += !strcmp(e->d_name, "self") && e->d_type == DT_LNK;
			version += !strcmp(e->d_name, "version") && e->d_type == DT_REG;
			dots += e->d_name[0] == '.';
		}
		printf("%d %d %d %d\n", mine, self, version, dots);
		rewinddir(d);
	}
	return 0;
}
