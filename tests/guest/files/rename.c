/* rename(2) and renameat2(2) in their cases. */
#include "tmp.h"
#include <linux/fs.h>
int main(void)
{
	tmp_enter();
	put("a", "A");
	put("b", "B");
	SHOW(rename("a", "b"));
	cat("b");
	SHOW(rename("a", "b"));
	mkdir("d", 0755);
	mkdir("e", 0755);
	put("e/x", "X");
	SHOW(rename("d", "e"));
	SHOW(rename("e", "d"));
	list("d");
	SHOW(rename("b", "d"));
	SHOW(rename("d", "b"));
	SHOW(rename("d", "d/sub"));
	SHOW(rename("d", "d"));
	SHOW(rename(".", "z"));
	SHOW(rename("d/..", "z"));
	SHOW(rename("b", "nodir/z"));
	SHOW(rename("b", "z/"));
	SHOW(rename("d", "z/"));
	put("c", "C");
	SHOW(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_NOREPLACE));
	SHOW(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_EXCHANGE));
	cat("b");
	cat("c");
	SHOW(renameat2(AT_FDCWD, "b", AT_FDCWD, "z", RENAME_EXCHANGE));
	show_stat("b");
	cat("z");
	list("b");
	SHOW(renameat2(AT_FDCWD, "b", AT_FDCWD, "none", RENAME_EXCHANGE));
	SHOW(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_EXCHANGE | RENAME_NOREPLACE));
	link("c", "c2");
	SHOW(rename("c", "c2")); /* the same file: nothing happens */
	list(".");
	int fd = open("c", O_RDONLY);
	rename("c", "b/moved");
	char ch = '?';
	SHOW(read(fd, &ch, 1));
	printf("%c\n", ch);
	list("b");
	return 0;
}
