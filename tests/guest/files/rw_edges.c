/* read(2) and write(2) at the edges: wrong modes, lengths, addresses, positions. */
#include "fs.h"
#include <sys/uio.h>

int main(void)
{
	char buf[64] = "";
	struct iovec v[3] = {{buf, 3}, {NULL, 0}, {buf + 3, 4}};
	int r, w, d;

	fs_enter();
	fs_make("f", "0123456789");
	r = open("f", O_RDONLY);
	w = open("f", O_WRONLY);
	d = open(".", O_RDONLY);
	T(read(w, buf, 1));
	T(write(r, buf, 1));
	T(read(d, buf, 1));
	T(write(d, buf, 1));
	T(read(-1, buf, 1));
	T(read(99, buf, 1));
	T(read(r, (void *)8, 4));
	T(read(r, (void *)8, 0));
	T(write(w, (void *)8, 4));
	T(read(r, buf, (size_t)-1));
	T(pread(r, buf, 4, -1));
	T(pread(r, buf, 4, 8));
	T(pread(r, buf, 4, 10));
	T(pread(r, buf, 4, 1000));
	T(lseek(r, 0, SEEK_CUR));
	T(readv(r, v, 3));
	T(lseek(r, 0, SEEK_CUR));
	T(readv(r, v, -1));
	T(readv(r, v, 0));
	T(readv(r, v, 1025));
	T(readv(r, (void *)8, 1));
	v[1] = (struct iovec){(void *)8, 4};
	lseek(r, 0, SEEK_SET);
	T(readv(r, v, 3));
	v[1] = (struct iovec){buf, (size_t)-1};
	T(readv(r, v, 3));
	T(preadv(r, v, 1, -1));
	T(pwrite(w, "abc", 3, 20));
	T(lseek(w, 0, SEEK_CUR));
	T(lseek(w, 0, SEEK_END));
	T(pread(r, buf, 64, 8));
	for (int i = 0; i < 15; i++)
		printf("%02x ", (unsigned char)buf[i]);
	printf("\n");
	T(write(w, "", 0));
	T(pwrite(w, "x", 1, INT64_MAX));
	T(lseek(w, -1, SEEK_SET));
	T(lseek(w, 0, 77));
	T(lseek(w, INT64_MAX, SEEK_CUR));
	T(lseek(d, 0, SEEK_SET));
	fs_show("f");
	return 0;
}
