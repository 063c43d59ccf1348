/* A file is mapped as a whole and its parts over that, as a dynamic linker does it; with other memory, writes and
 * holes put in between. What stands where must be what the last call of each page says. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define P 4096
#define N 8

static int fd;

static char *whole(void)
{
	char *m = mmap(NULL, N * P, PROT_READ, MAP_PRIVATE, fd, 0);

	if (m == MAP_FAILED)
		exit(1);
	return m;
}

static void part(char *m, int page, int count, int prot, int file_page)
{
	char *r = mmap(m + page * P, (size_t)count * P, prot, MAP_PRIVATE | MAP_FIXED, fd, (off_t)file_page * P);

	printf("part %d at %d of %d: %s\n", count, page, file_page, r == m + page * P ? "there" : "elsewhere");
}

static void show(const char *what, const char *m)
{
	printf("%-10s", what);
	for (int i = 0; i < N; i++)
		printf(" %c", m[i * P] ? m[i * P] : '.');
	printf("\n");
}

static void *other(void *arg)
{
	char *m = arg;

	mprotect(m + 2 * P, P, PROT_READ | PROT_WRITE);
	m[2 * P] = 'T';
	return NULL;
}

int main(void)
{
	char name[] = "/tmp/whole.XXXXXX", page[P];
	pthread_t t;
	char *m;

	fd = mkstemp(name);
	for (int i = 0; i < N; i++) {
		memset(page, 'a' + i, P);
		if (write(fd, page, P) != P)
			return 1;
	}
	m = whole();
	part(m, 1, 2, PROT_READ | PROT_EXEC, 1);
	part(m, 3, 1, PROT_READ, 3);
	part(m, 4, 2, PROT_READ | PROT_WRITE, 4);
	m[4 * P] = 'W';
	show("linker", m);
	/* what was written to is the file's again */
	part(m, 4, 1, PROT_READ, 4);
	show("again", m);
	m = whole();
	mmap(m + 2 * P, P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	part(m, 1, 3, PROT_READ, 1);
	show("anonymous", m);
	m = whole();
	mprotect(m + 2 * P, P, PROT_READ | PROT_WRITE);
	m[2 * P] = 'W';
	part(m, 2, 1, PROT_READ, 2);
	show("written", m);
	m = whole();
	munmap(m + 3 * P, P);
	part(m, 3, 1, PROT_READ, 3);
	show("hole", m);
	m = whole();
	part(m, 2, 2, PROT_READ, 5);
	show("shifted", m);
	m = whole();
	m = mremap(m, N * P, 2 * N * P, MREMAP_MAYMOVE) ?: m;
	part(m, 2, 1, PROT_READ | PROT_WRITE, 2);
	m[2 * P] = 'W';
	show("moved", m);
	m = whole();
	pthread_create(&t, NULL, other, m);
	pthread_join(t, NULL);
	part(m, 2, 1, PROT_READ, 2);
	show("thread", m);
	m = whole();
	fflush(stdout);
	if (!fork()) {
		mprotect(m + 2 * P, P, PROT_READ | PROT_WRITE);
		m[2 * P] = 'C';
		part(m, 2, 1, PROT_READ, 2);
		show("child", m);
		fflush(stdout);
		_exit(0);
	}
	usleep(100000);
	part(m, 2, 1, PROT_READ, 2);
	show("parent", m);
	unlink(name);
	return 0;
}
