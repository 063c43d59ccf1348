/* One thread fills all slots of its process with garbage while others make calls. sysd must go on serving
 * other processes; this one may die. */
#include "hostile.h"
#include <pthread.h>

static uint64_t base;

static void *scribble(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	time_t end = time(NULL) + 2;

	while (time(NULL) < end) {
		for (int k = 0; k < 20000; k++) {
			uint32_t *word;

			seed = seed * 1103515245u + 12345u;
			word = (uint32_t *)(base + SBX_R_SLOTS + (seed >> 8) % 6 * SBX_SLOT_STRIDE);
			word[(seed >> 16) % 1024] = seed & 64 ? seed : seed & 7;
		}
	}
	return NULL;
}

static void *call(void *arg)
{
	char buf[100];
	time_t end = time(NULL) + 2;

	while (time(NULL) < end) {
		int fd = open("/etc/passwd", O_RDONLY);

		if (fd >= 0 && read(fd, buf, sizeof(buf)) < 0)
			umask(0);
		close(fd);
	}
	return NULL;
}

int main(void)
{
	int status;
	pid_t p;

	base = attack_base();
	if (!base)
		return 2;
	for (int round = 0; round < 3; round++) {
		p = fork();
		if (!p) {
			pthread_t t[4];

			alarm(6);
			for (long i = 0; i < 4; i++)
				pthread_create(&t[i], NULL, i & 1 ? scribble : call, (void *)(i + round));
			for (int i = 0; i < 4; i++)
				pthread_join(t[i], NULL);
			_exit(0);
		}
		/* The garbage may have been a call that took the alarm away: the process must stay killable. */
		for (int i = 0; i < 40 && waitpid(p, &status, WNOHANG) == 0; i++)
			usleep(100000);
		kill(p, SIGKILL);
		if (waitpid(p, &status, 0) != p && errno != ECHILD)
			return 3;
		/* somebody else is served as before */
		p = fork();
		if (!p) {
			int fd = open("/etc/passwd", O_RDONLY);
			char c;

			_exit(fd < 0 || read(fd, &c, 1) != 1);
		}
		if (waitpid(p, &status, 0) != p || status) {
			puts("another process is not served any more");
			return 1;
		}
	}
	return 0;
}
