/* O_DIRECT: packet mode. */
#include "../say.h"
int main(void)
{
	int p[2];
	char buf[9000];

	MUST(pipe2(p, O_DIRECT | O_NONBLOCK));
	SAY(write(p[1], "one", 3));
	SAY(write(p[1], "three", 5));
	SAY(write(p[1], "seven77", 7));
	SAY(read(p[0], buf, 100));
	SAY(read(p[0], buf, 2));
	SAY(read(p[0], buf, 100));
	SAY(read(p[0], buf, 100));
	memset(buf, 'x', sizeof(buf));
	SAY(write(p[1], buf, 5000));
	SAY(read(p[0], buf, 9000));
	SAY(read(p[0], buf, 9000));
	for (int i = 0; i < 16; i++)
		MUST(write(p[1], "a", 1));
	SAY(write(p[1], "b", 1));
	SAY(fcntl(p[1], F_SETFL, O_NONBLOCK));
	SAY(read(p[0], buf, 100));
	SAY(write(p[1], "c", 1));
	SAY(write(p[1], "d", 1));
	for (int i = 0; i < 14; i++)
		MUST(read(p[0], buf, 100));
	SAY(read(p[0], buf, 100));
	SAY(read(p[0], buf, 100));
	return 0;
}
