/* name_to_handle_at(2) and open_by_handle_at(2). Needs to begin as root. */
#include "fs.h"

int main(void)
{
	union {
		struct file_handle h;
		char room[256];
	} u, v;
	char buf[16] = "";
	int id, id2, fd;

	if (getuid())
		return 77;
	fs_enter();
	fs_make("f", "content");
	u.h.handle_bytes = 0;
	T(name_to_handle_at(AT_FDCWD, "f", &u.h, &id, 0));
	printf("some bytes %i\n", u.h.handle_bytes > 0 && u.h.handle_bytes <= 128);
	u.h.handle_bytes = 200;
	T(name_to_handle_at(AT_FDCWD, "f", &u.h, &id, 0));
	u.h.handle_bytes = 128;
	T(name_to_handle_at(AT_FDCWD, "none", &u.h, &id, 0));
	T(name_to_handle_at(AT_FDCWD, "f", &u.h, &id, 0x8000));
	T(name_to_handle_at(AT_FDCWD, "f", &u.h, &id, 0));
	v.h.handle_bytes = 128;
	link("f", "g");
	T(name_to_handle_at(AT_FDCWD, "g", &v.h, &id2, 0));
	printf("same %i %i\n", id == id2, u.h.handle_bytes == v.h.handle_bytes &&
					  !memcmp(u.h.f_handle, v.h.f_handle, u.h.handle_bytes));
	fd = open_by_handle_at(AT_FDCWD, &u.h, O_RDONLY);
	if (fd < 0 && errno == EPERM)
		return 0; /* without the capability this is all there is */
	T(read(fd, buf, sizeof(buf)));
	printf("%s\n", buf);
	T(open_by_handle_at(AT_FDCWD, &u.h, O_RDONLY | O_DIRECTORY));
	T(open_by_handle_at(-1, &u.h, O_RDONLY));
	close(fd);
	unlink("f");
	unlink("g");
	T(open_by_handle_at(AT_FDCWD, &u.h, O_RDONLY));
	u.h.handle_bytes = 0;
	T(open_by_handle_at(AT_FDCWD, &u.h, O_RDONLY));
	return 0;
}
