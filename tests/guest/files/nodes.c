/* mknod: FIFOs, sockets, devices, plain files. */
#include "tmp.h"
#include <sys/sysmacros.h>
int main(void)
{
	struct stat st;
	char c = 0;

	tmp_enter();
	SHOW(mkfifo("fifo", 0644));
	show_stat("fifo");
	SHOW(mkfifo("fifo", 0644));
	SHOW_OK(open("fifo", O_WRONLY | O_NONBLOCK));
	int r = SHOW_OK(open("fifo", O_RDONLY | O_NONBLOCK));
	int w = SHOW_OK(open("fifo", O_WRONLY | O_NONBLOCK));
	SHOW(write(w, "p", 1));
	SHOW(read(r, &c, 1));
	SHOW(rename("fifo", "fifo2"));
	int w2 = SHOW_OK(open("fifo2", O_WRONLY | O_NONBLOCK));
	SHOW(write(w2, "q", 1));
	SHOW(read(r, &c, 1));
	SHOW(unlink("fifo2"));
	SHOW(mknod("sock", S_IFSOCK | 0600, 0));
	show_stat("sock");
	SHOW_OK(open("sock", O_RDWR));
	SHOW(mknod("plain", S_IFREG | 0600, 0));
	show_stat("plain");
	SHOW(mknod("plain0", 0600, 0));
	show_stat("plain0");
	SHOW(mknod("bad", S_IFDIR | 0600, 0));
	SHOW(mknod("bad", 0160000, 0));
	SHOW(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
	stat("null", &st);
	printf("rdev %u:%u mode %o\n", major(st.st_rdev), minor(st.st_rdev), st.st_mode);
	int n = SHOW_OK(open("null", O_RDWR));
	SHOW(write(n, "abc", 3));
	SHOW(read(n, &c, 1));
	SHOW(chmod("null", 0600));
	stat("null", &st);
	printf("mode %o\n", st.st_mode);
	list(".");
	return 0;
}
