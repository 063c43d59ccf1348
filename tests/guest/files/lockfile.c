/* The way of programs that take a lock by link(2) and O_EXCL: groupadd, dpkg. */
#include "tmp.h"
int main(void)
{
	struct stat st;

	tmp_enter();
	put("group", "root:x:0:\n");
	int fd = SHOW_OK(open("group.123", O_CREAT | O_EXCL | O_WRONLY, 0600));
	SHOW(write(fd, "123\n", 4));
	close(fd);
	SHOW(link("group.123", "group.lock"));
	stat("group.123", &st);
	printf("nlink %u\n", (unsigned)st.st_nlink);
	SHOW(unlink("group.123"));
	SHOW(link("group.lock", "group.lock"));
	put("group+", "root:x:0:\nusers:x:100:\n");
	SHOW(rename("group", "group-"));
	SHOW(rename("group+", "group"));
	SHOW(unlink("group.lock"));
	cat("group");
	cat("group-");
	list(".");
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	fd = open("lock", O_RDWR | O_CREAT, 0640);
	SHOW(fcntl(fd, F_SETLK, &fl));
	if (fork() == 0) {
		int fd2 = open("lock", O_RDWR);
		SHOW(fcntl(fd2, F_SETLK, &fl));
		_exit(0);
	}
	wait(NULL);
	return 0;
}
