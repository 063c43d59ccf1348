/* renameat2(2): NOREPLACE, EXCHANGE, flags that do not go together. */
#include "fs.h"

static int ren(const char *a, const char *b, unsigned flags)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags);
}

int main(void)
{
	fs_enter();
	fs_make("a", "A");
	fs_make("b", "B");
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	fs_make("d/f", "F");
	T(ren("a", "b", RENAME_NOREPLACE));
	T(ren("a", "c", RENAME_NOREPLACE));
	T(ren("c", "c", RENAME_NOREPLACE));
	T(ren("c", ".", RENAME_NOREPLACE));
	T(ren("c", "b", RENAME_EXCHANGE));
	fs_cat("b");
	fs_cat("c");
	T(ren("c", "none", RENAME_EXCHANGE));
	T(ren("none", "c", RENAME_EXCHANGE));
	T(ren("c", "d", RENAME_EXCHANGE));
	fs_cat("c/f");
	fs_cat("d");
	T(ren("d", "c/f", RENAME_EXCHANGE));
	fs_cat("d");
	T(ren("c", "c/e", RENAME_EXCHANGE));
	T(ren("c/e", "c", RENAME_EXCHANGE));
	T(ren("d/", "c", RENAME_EXCHANGE));
	T(ren("c", "d/", RENAME_EXCHANGE));
	T(ren("a", "b", 99));
	T(ren("c", "b", RENAME_NOREPLACE | RENAME_EXCHANGE));
	T(ren("d", "c/e", RENAME_EXCHANGE));
	fs_show("d");
	fs_show("c/e");
	return 0;
}
