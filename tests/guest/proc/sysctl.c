/* /proc/sys as programs read it. */
#include "tests/guest/proc/util.h"
#include <dirent.h>
#include <sys/utsname.h>
static char buf[65536];
static const char *get(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "/proc/sys/%s", path);
	if (slurp(full, buf, sizeof(buf)) < 0)
		return "(missing)\n";
	return buf;
}
static int has(const char *dir, const char *name)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int found = 0;

	while (d && (e = readdir(d)))
		found |= !strcmp(e->d_name, name);
	if (d)
		closedir(d);
	return found;
}
int main(void)
{
	struct utsname u;
	char a[64];

	uname(&u);
	printf("%s", get("kernel/ostype"));
	CHECK(!strncmp(get("kernel/osrelease"), u.release, strlen(u.release)));
	CHECK(!strncmp(get("kernel/hostname"), u.nodename, strlen(u.nodename)));
	CHECK(!strncmp(get("kernel/version"), u.version, strlen(u.version)));
	printf("%s", get("kernel/ngroups_max"));
	printf("%s", get("kernel/overflowuid"));
	CHECK(atoi(get("kernel/pid_max")) >= 32768);
	CHECK(atoi(get("kernel/cap_last_cap")) >= 39);
	CHECK(strlen(get("kernel/random/uuid")) == 37);
	strcpy(a, get("kernel/random/uuid"));
	CHECK(strcmp(a, get("kernel/random/uuid")) != 0);
	strcpy(a, get("kernel/random/boot_id"));
	CHECK(!strcmp(a, get("kernel/random/boot_id")));
	CHECK(atoi(get("kernel/random/entropy_avail")) > 0);
	CHECK(atol(get("fs/file-max")) > 1000);
	CHECK(atoi(get("fs/pipe-max-size")) >= 4096);
	CHECK(atoi(get("fs/inotify/max_user_watches")) > 100);
	CHECK(atoi(get("vm/max_map_count")) >= 65530);
	CHECK(atoi(get("vm/overcommit_memory")) >= 0);
	CHECK(atoi(get("net/core/somaxconn")) >= 128);
	CHECK(has("/proc/sys", "kernel") && has("/proc/sys", "vm") && has("/proc/sys", "fs"));
	CHECK(has("/proc/sys/kernel", "hostname") && has("/proc/sys/kernel", "random"));
	CHECK(!has("/proc/sys/kernel", "uuid"));
	SHOW(open("/proc/sys/kernel/nothing", O_RDONLY));
	SHOW(open("/proc/sys/nothing/hostname", O_RDONLY));
	if (setresuid(1000, 1000, 1000))
		return 77;
	SHOW(open("/proc/sys/kernel/hostname", O_WRONLY));
	return 0;
}
