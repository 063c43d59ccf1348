/* sbx-memd: started by the launcher, see common/ipc/startup.h for its descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "common/log/log.h"
#include "memd/memd.h"

static void report(const char *text)
{
	(void)!write(SBX_FD_READY, text, strlen(text));
	close(SBX_FD_READY);
}

int main(void)
{
	static struct memd m;
	char text[128];
	int ret;

	log_init("memd", SBX_FD_LOG, LOG_INFO_, LOG_TEXT);
	ret = memd_init(&m, MEMD_FD_SYSD_RING, MEMD_FD_SYSD_PASS,
			fcntl(MEMD_FD_LAUNCH_PASS, F_GETFD) >= 0 ? MEMD_FD_LAUNCH_PASS : -1);
	if (!ret)
		ret = memd_bring_up(&m);
	if (ret) {
		snprintf(text, sizeof(text), "memd cannot start: %s\n", strerror(-ret));
		log_error("cannot start: %s", strerror(-ret));
		report(text);
		memd_done(&m);
		return 1;
	}
	report("\n");
	ret = memd_serve(&m);
	memd_done(&m);
	return ret ? 1 : 0;
}
