/* uname and the names of the UTS namespace. */
#include "tests/guest/show.h"
#include <sys/utsname.h>
int main(void)
{
	struct utsname u;
	char name[65], small[2];

	SHOW(uname(&u));
	printf("%s %s\n", u.sysname, u.machine);
	CHECK(strlen(u.release) > 3 && u.version[0] == '#');
	CHECK(gethostname(name, sizeof(name)) == 0 && !strcmp(name, u.nodename));
	SHOW(uname((void *)8));
	SHOW(gethostname(small, 1));
	if (setresuid(1000, 1000, 1000))
		return 77;
	SHOW(sethostname("x", 1));
	SHOW(setdomainname("x", 1));
	return 0;
}
