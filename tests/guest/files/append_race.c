/* Appends of several processes do not overwrite each other. */
#include "tmp.h"
int main(void)
{
	char line[64];
	int counts[4] = {0}, who, k, bad = 0, total = 0;

	tmp_enter();
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			int fd = open("log", O_WRONLY | O_APPEND | O_CREAT, 0644);

			for (k = 0; k < 200; k++) {
				int n = snprintf(line, sizeof(line), "%d %04d ..............\n", i, k);

				if (write(fd, line, (size_t)n) != n)
					_exit(1);
			}
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	FILE *f = fopen("log", "r");
	while (fgets(line, sizeof(line), f)) {
		total++;
		if (sscanf(line, "%d %d", &who, &k) != 2 || who < 0 || who > 3 || k != counts[who]++)
			bad++;
	}
	fclose(f);
	printf("lines %d, wrong %d\n", total, bad);
	return 0;
}
