/* Code made at run time, with system calls in it: replaced in place, mapped anew at the same address, and
 * through two views of one shared object, which must stay as the program wrote it. */
#include <sys/mman.h>
#include <sys/syscall.h>
#include "tests/guest/show.h"

static void emit(unsigned char *p, int nr)
{
	memcpy(p, "\xb8\0\0\0\0\x0f\x05\xc3", 8);
	memcpy(p + 1, &nr, 4);
}
static void emit_cmp(unsigned char *p, int nr)
{
	/* mov nr, eax; nop; syscall; cmp $-4095, rax; ret */
	memcpy(p, "\xb8\0\0\0\0\x90\x0f\x05\x48\x3d\x01\xf0\xff\xff\xc3", 15);
	memcpy(p + 1, &nr, 4);
}

static int calls(void *p, long want)
{
	int bad = 0;

	for (int i = 0; i < 20; i++)
		bad |= ((long (*)(void))p)() != want;
	return bad;
}

int main(void)
{
	unsigned char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *w, *x, want[15];
	int fd;

	CHECK(p != MAP_FAILED);
	emit(p, SYS_getuid);
	CHECK(!calls(p, getuid()));
	emit(p, SYS_getpid);
	CHECK(!calls(p, getpid()));
	emit_cmp(p, SYS_getppid);
	CHECK(!calls(p, getppid()));
	emit_cmp(p, SYS_getpid);
	CHECK(!calls(p, getpid()));
	/* across two pages, and at every alignment */
	for (int off = 4096 - 20; off < 4096 + 16; off++) {
		emit(p + off, off & 1 ? SYS_getuid : SYS_getpid);
		if (calls(p + off, off & 1 ? (long)getuid() : getpid()))
			printf("bad at %d\n", off);
		emit_cmp(p + off, off & 1 ? SYS_getuid : SYS_getpid);
		if (calls(p + off, off & 1 ? (long)getuid() : getpid()))
			printf("bad cmp at %d\n", off);
	}
	for (int i = 0; i < 4; i++) {
		munmap(p, 8192);
		CHECK(mmap(p, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
		if (i & 1)
			emit(p, i & 2 ? SYS_getpid : SYS_getuid);
		else
			emit_cmp(p, i & 2 ? SYS_getpid : SYS_getuid);
		CHECK(!mprotect(p, 8192, PROT_READ | PROT_EXEC));
		CHECK(!calls(p, i & 2 ? getpid() : (long)getuid()));
	}

	fd = memfd_create("jit", 0);
	ftruncate(fd, 4096);
	w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	x = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	CHECK(w != MAP_FAILED && x != MAP_FAILED);
	emit(w, SYS_getuid);
	emit_cmp(w + 64, SYS_getpid);
	memcpy(want, w + 64, 15);
	CHECK(!calls(x, getuid()));
	CHECK(!calls(x + 64, getpid()));
	CHECK(!memcmp(w, "\xb8\x66\0\0\0\x0f\x05\xc3", 8));
	CHECK(!memcmp(w + 64, want, 15));
	/* still writable text stays so */
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	emit(p, SYS_getuid);
	CHECK(!calls(p, getuid()));
	p[0] = 0xc3;
	((void (*)(void))p)();
	puts("end");
	return 0;
}
