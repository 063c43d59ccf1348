/* Raw mode: VMIN, VTIME, no translation; and back. */
#include "tests/guest/tty/util.h"
#include <time.h>
static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}
int main(void)
{
	struct termios t, old;
	int m, s;
	double a;

	pair(&m, &s);
	tcgetattr(s, &old);
	t = old;
	cfmakeraw(&t);
	SHOW(tcsetattr(s, TCSANOW, &t));
	put(m, "a\003\r\n\004");
	get("raw", s, 100);
	drain("no echo", m);
	put(s, "x\ny");
	drain("no opost", m);
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 0;
	tcsetattr(s, TCSANOW, &t);
	get("empty", s, 10);
	t.c_cc[VTIME] = 1;
	tcsetattr(s, TCSANOW, &t);
	a = now();
	get("timed", s, 10);
	CHECK(now() - a >= 0.09);
	t.c_cc[VMIN] = 3;
	t.c_cc[VTIME] = 0;
	tcsetattr(s, TCSANOW, &t);
	if (!fork()) {
		put(m, "12");
		usleep(50000);
		put(m, "34");
		_exit(0);
	}
	get("min 3", s, 10);
	wait(NULL);
	t.c_cc[VMIN] = 10;
	t.c_cc[VTIME] = 2;
	tcsetattr(s, TCSAFLUSH, &t);
	put(m, "ab");
	get("interbyte", s, 10);
	put(m, "typed before");
	SHOW(tcsetattr(s, TCSANOW, &old));
	get("becomes a line", s, 100);
	fcntl(s, F_SETFL, O_NONBLOCK);
	get("nothing", s, 100);
	return 0;
}
