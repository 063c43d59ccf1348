/* Output processing, flow control, flushing. */
#include "tests/guest/tty/util.h"
int main(void)
{
	struct termios t;
	int m, s;

	pair(&m, &s);
	put(s, "a\nb\r\n");
	drain("onlcr", m);
	tcgetattr(s, &t);
	t.c_oflag |= XTABS;
	tcsetattr(s, TCSANOW, &t);
	put(s, "ab\tc\n");
	drain("xtabs", m);
	t.c_oflag = OPOST | OCRNL;
	tcsetattr(s, TCSANOW, &t);
	put(s, "a\rb\n");
	drain("ocrnl", m);
	t.c_oflag = OPOST | OLCUC;
	tcsetattr(s, TCSANOW, &t);
	put(s, "abc");
	drain("olcuc", m);
	t.c_oflag = OPOST | ONLCR;
	tcsetattr(s, TCSANOW, &t);
	put(m, "\023"); /* ^S */
	fcntl(s, F_SETFL, O_NONBLOCK);
	SHOW(write(s, "held", 4));
	drain("stopped", m);
	put(m, "\021");
	SHOW(write(s, "going", 5));
	drain("started", m);
	SHOW(tcflow(s, TCOOFF));
	SHOW(write(s, "held", 4));
	SHOW(tcflow(s, TCOON));
	SHOW(write(s, "on", 2));
	drain("on", m);
	SHOW(tcflow(s, 9));
	put(m, "typed\n");
	drain("echo", m);
	SHOW(tcflush(s, TCIFLUSH));
	get("flushed", s, 10);
	SHOW(tcflush(s, 9));
	SHOW(tcdrain(s));
	SHOW(tcsendbreak(s, 0));
	return 0;
}
