/* copy_file_range: offsets, overlap, ends, errors. */
#include "../say.h"
int main(void)
{
	char path[] = "/tmp/rangeXXXXXX", path2[] = "/tmp/rangeXXXXXX", buf[64] = {0};
	int f = MUST(mkstemp(path)), g = MUST(mkstemp(path2)), p[2], d, r;
	off_t in = 2, out = 4, neg = -1;

	MUST(write(f, "0123456789", 10));
	SAY(copy_file_range(f, NULL, g, NULL, 5, 0));
	MUST(lseek(f, 0, SEEK_SET));
	SAY(copy_file_range(f, NULL, g, NULL, 5, 0));
	SAY(copy_file_range(f, &in, g, &out, 3, 0));
	printf("%ld %ld %ld %ld\n", (long)in, (long)out, (long)lseek(f, 0, SEEK_CUR), (long)lseek(g, 0, SEEK_CUR));
	SAY(copy_file_range(f, &in, g, NULL, 100, 0));
	SAY(pread(g, buf, 64, 0));
	printf("%s\n", buf);
	SAY(copy_file_range(f, &in, g, NULL, 100, 0));
	SAY(copy_file_range(f, NULL, g, NULL, 5, 1));
	in = 0;
	out = 3;
	SAY(copy_file_range(f, &in, f, &out, 5, 0));
	out = 5;
	SAY(copy_file_range(f, &in, f, &out, 5, 0));
	SAY(pread(f, buf, 64, 0));
	printf("%.10s\n", buf);
	SAY(copy_file_range(f, &neg, g, NULL, 5, 0));
	MUST(pipe(p));
	SAY(copy_file_range(f, NULL, p[1], NULL, 5, 0));
	SAY(copy_file_range(p[0], NULL, f, NULL, 5, 0));
	d = MUST(open("/tmp", O_RDONLY));
	SAY(copy_file_range(d, NULL, f, NULL, 5, 0));
	r = MUST(open(path, O_RDONLY));
	SAY(copy_file_range(f, NULL, r, NULL, 5, 0));
	close(r);
	r = MUST(open(path, O_WRONLY | O_APPEND));
	SAY(copy_file_range(g, NULL, r, NULL, 5, 0));
	SAY(copy_file_range(r, NULL, g, NULL, 5, 0));
	SAY(copy_file_range(f, NULL, 99, NULL, 5, 0));
	SAY(copy_file_range(f, BAD, g, NULL, 5, 0));
	SAY(copy_file_range(f, NULL, g, NULL, 0, 0));
	unlink(path);
	unlink(path2);
	return 0;
}
