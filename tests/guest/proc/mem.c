/* /proc/self/mem reads and writes memory. */
#include "tests/guest/proc/util.h"
#include <sys/mman.h>
static char data[64] = "something to read";
int main(void)
{
	int fd = open("/proc/self/mem", O_RDWR);
	char buf[64] = "";

	SHOW(pread(fd, buf, 17, (off_t)(long)data));
	puts(buf);
	SHOW(pwrite(fd, "anything", 8, (off_t)(long)data));
	puts(data);
	SHOW(pread(fd, buf, 8, 16));
	SHOW(lseek(fd, 0, SEEK_END));
	return 0;
}
