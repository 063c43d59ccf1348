/* Window size and its signal; exclusive mode; settings seen from both sides. */
#include "tests/guest/tty/util.h"
int main(void)
{
	struct winsize w = {24, 80, 1, 2}, r;
	struct termios t, u;
	int m, s, v;

	pair(&m, &s);
	SHOW(ioctl(s, TIOCGWINSZ, &r));
	printf("%d %d\n", r.ws_row, r.ws_col);
	SHOW(ioctl(m, TIOCSWINSZ, &w));
	SHOW(ioctl(s, TIOCGWINSZ, &r));
	printf("%d %d %d %d\n", r.ws_row, r.ws_col, r.ws_xpixel, r.ws_ypixel);
	tcgetattr(s, &t);
	printf("%o %o %o %o\n", t.c_iflag, t.c_oflag, t.c_cflag & ~CBAUD, t.c_lflag);
	for (int i = 0; i < 17; i++)
		printf("%d ", t.c_cc[i]);
	printf("\n%d\n", cfgetospeed(&t) == B38400);
	t.c_lflag &= ~(unsigned)ECHO;
	tcsetattr(s, TCSANOW, &t);
	tcgetattr(m, &u);
	CHECK(!(u.c_lflag & ECHO));
	cfsetspeed(&t, B115200);
	tcsetattr(s, TCSANOW, &t);
	tcgetattr(s, &u);
	CHECK(cfgetospeed(&u) == B115200);
	SHOW(ioctl(s, TIOCEXCL));
	SHOW(ioctl(s, TIOCGEXCL, &v));
	printf("%d\n", v);
	SHOW(ioctl(s, TIOCNXCL));
	SHOW(ioctl(s, TIOCGETD, &v));
	printf("%d\n", v);
	SHOW(ioctl(s, TIOCGSID, &v));
	SHOW(ioctl(s, TIOCGPGRP, &v));
	SHOW(ioctl(s, 0x5499, &v));
	SHOW(ioctl(s, TIOCGWINSZ, (void *)8));
	SHOW(isatty(0));
	return 0;
}
