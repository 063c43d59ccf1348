/* copy_file_range and sendfile between files. */
#include "tmp.h"
#include <sys/sendfile.h>
int main(void)
{
	char buf[65536], back[65536];
	loff_t in = 10, out = 5;
	off_t off = 0;

	tmp_enter();
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)(i * 7);
	int a = open("a", O_RDWR | O_CREAT, 0644), b = open("b", O_RDWR | O_CREAT, 0644);
	write(a, buf, sizeof(buf));
	lseek(a, 0, SEEK_SET);
	SHOW(copy_file_range(a, NULL, b, NULL, sizeof(buf), 0));
	SHOW(copy_file_range(a, NULL, b, NULL, sizeof(buf), 0));
	SHOW(lseek(b, 0, SEEK_CUR));
	pread(b, back, sizeof(back), 0);
	CHECK(!memcmp(buf, back, sizeof(buf)));
	SHOW(copy_file_range(a, &in, b, &out, 100, 0));
	printf("%lld %lld\n", (long long)in, (long long)out);
	pread(b, back, 100, 5);
	CHECK(!memcmp(buf + 10, back, 100));
	SHOW(copy_file_range(a, NULL, b, NULL, 10, 1));
	int c = open("c", O_RDWR | O_CREAT, 0644);
	SHOW(sendfile(c, a, &off, 1000));
	printf("%lld\n", (long long)off);
	show_stat("c");
	int ro = open("c", O_RDONLY);
	SHOW(sendfile(ro, a, &off, 10));
	SHOW(copy_file_range(a, &in, ro, &out, 10, 0));
	in = 0;
	out = 50;
	SHOW(copy_file_range(a, &in, a, &out, 100, 0));
	return 0;
}
