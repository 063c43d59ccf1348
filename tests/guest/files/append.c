/* O_APPEND: every write goes to the end, pwrite(2) too; two descriptions; F_SETFL. */
#include "fs.h"

int main(void)
{
	int a, b;

	fs_enter();
	a = open("f", O_CREAT | O_RDWR | O_APPEND, 0644);
	b = open("f", O_WRONLY);
	T(write(a, "aaa", 3));
	T(write(b, "b", 1));
	T(write(a, "cc", 2));
	T(lseek(a, 0, SEEK_CUR));
	T(pwrite(a, "X", 1, 0));
	T(lseek(a, 0, SEEK_CUR));
	fs_cat("f");
	T(lseek(a, 0, SEEK_SET));
	T(write(a, "d", 1));
	fs_cat("f");
	T(fcntl(a, F_SETFL, 0));
	T(pwrite(a, "Y", 1, 1));
	fs_cat("f");
	T(fcntl(b, F_SETFL, O_APPEND));
	T(write(b, "e", 1));
	T(lseek(b, 0, SEEK_CUR));
	fs_cat("f");
	return 0;
}
