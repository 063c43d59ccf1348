/* Packet mode of the master. */
#include "tests/guest/tty/util.h"
int main(void)
{
	int m, s, on = 1;
	struct termios t;

	pair(&m, &s);
	SHOW(ioctl(m, TIOCPKT, &on));
	put(s, "data");
	get("data", m, 100);
	tcflush(s, TCIFLUSH);
	get("flush", m, 100);
	put(m, "\023");
	get("stop", m, 100);
	put(m, "\021");
	get("start", m, 100);
	tcgetattr(s, &t);
	t.c_iflag &= ~(unsigned)IXON;
	tcsetattr(s, TCSANOW, &t);
	get("no flow control", m, 100);
	on = 0;
	SHOW(ioctl(m, TIOCPKT, &on));
	put(s, "x");
	get("plain", m, 100);
	return 0;
}
