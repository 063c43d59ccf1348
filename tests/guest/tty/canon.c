/* Canonical mode: lines, editing, echo, end of file. */
#include "tests/guest/tty/util.h"
int main(void)
{
	int m, s, n;

	pair(&m, &s);
	put(m, "hello\n");
	drain("echo", m);
	get("line", s, 100);
	put(m, "abc\177d\n");
	drain("erase", m);
	get("line", s, 100);
	put(m, "one two\027three\n");
	drain("werase", m);
	get("line", s, 100);
	put(m, "gone\025kept\n");
	drain("kill", m);
	get("line", s, 100);
	put(m, "a\026\003b\n");
	drain("lnext", m);
	get("line", s, 100);
	put(m, "x\022y\n");
	drain("reprint", m);
	get("line", s, 100);
	put(m, "a\tb\177\177c\n");
	drain("tab", m);
	get("line", s, 100);
	put(m, "\001\002\177\n");
	drain("control", m);
	get("line", s, 100);
	put(m, "first\nsecond\n");
	drain("echo", m);
	SHOW(ioctl(s, FIONREAD, &n));
	printf("%d\n", n);
	get("part", s, 3);
	get("rest", s, 100);
	get("second", s, 100);
	put(m, "part\004");
	drain("echo", m);
	get("eof in line", s, 100);
	put(m, "\004");
	get("eof", s, 100);
	put(m, "four\004");
	get("exact", s, 4);
	put(m, "more\n");
	get("more", s, 100);
	put(m, "cr\r");
	get("icrnl", s, 100);
	drain("echo", m);
	return 0;
}
