/* The N_TTY line discipline: editing, echo, modes and bounds, without files or tasks; random input never
 * breaks the ring's invariants. */
#include "tests/unit/kernel/harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include "services/sysd/mm/uio.h"
#include "services/sysd/tty/tty.h"

static struct tty *tty;
static struct file file;

static int setup(void **state)
{
	tty = tty_new();
	memset(&file, 0, sizeof(file));
	file.flags = 04000; /* O_NONBLOCK */
	return tty ? 0 : -1;
}

static int teardown(void **state)
{
	tty_unref(tty);
	return 0;
}

static void type(const char *s)
{
	assert_int_equal(n_tty_receive(tty, (const uint8_t *)s, strlen(s)), strlen(s));
}

static void expect_read(size_t max, const char *want)
{
	char buf[8192];
	struct uio u;
	ssize_t n;

	uio_init_kernel(&u, buf, max);
	n = n_tty_read(tty, &file, &u);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(buf, want, strlen(want));
}

static void expect_out(const char *want)
{
	uint8_t buf[TTY_OUT_SIZE];
	size_t n = tty_out_get(tty, buf, sizeof(buf));

	assert_int_equal(n, strlen(want));
	assert_memory_equal(buf, want, n);
}

static void no_input(void)
{
	char c;
	struct uio u;

	uio_init_kernel(&u, &c, 1);
	assert_int_equal(n_tty_read(tty, &file, &u), -EAGAIN);
}

static void test_lines(void **state)
{
	type("one\ntwo");
	expect_out("one\r\ntwo");
	assert_int_equal(n_tty_input_count(tty), 4);
	expect_read(100, "one\n");
	no_input();
	type("\n");
	expect_read(2, "tw");
	expect_read(100, "o\n");
}

static void test_editing(void **state)
{
	type("abc\177\177x\n");
	expect_read(100, "ax\n");
	type("one two\027\027three\n");
	expect_read(100, "three\n");
	type("\177\027\025z\n");
	expect_read(100, "z\n");
	type("\026\025\n");
	expect_read(100, "\025\n");
}

static void test_utf8_erase(void **state)
{
	tty->termios.iflag |= ABI_IUTF8;
	type("a\xc3\xa4\177b\n");
	expect_read(100, "ab\n");
	/* half a character is not erased */
	type("\x84\177c\n");
	expect_read(100, "\x84"
			 "c\n");
}

static void test_eof(void **state)
{
	type("\004");
	expect_read(100, "");
	type("ab\004");
	expect_read(100, "ab");
	type("abcd\004");
	expect_read(4, "abcd");
	no_input();
}

static void test_long_line(void **state)
{
	char c = 'x';

	for (int i = 0; i < 10000; i++)
		assert_int_equal(n_tty_receive(tty, (const uint8_t *)&c, 1), 1);
	assert_true(tty->head - tty->tail < TTY_IN_SIZE);
	type("\n");
	assert_true(n_tty_input_available(tty, false));
	n_tty_flush_input(tty);
	no_input();
}

static void test_full_of_lines(void **state)
{
	static uint8_t lines[2 * TTY_IN_SIZE];
	size_t taken;

	memset(lines, '\n', sizeof(lines));
	taken = n_tty_receive(tty, lines, sizeof(lines));
	assert_true(taken < TTY_IN_SIZE && tty->room_wanted);
	for (size_t i = 0; i < taken; i++)
		expect_read(10, "\n");
	assert_false(tty->room_wanted);
	no_input();
}

static void test_mode_change(void **state)
{
	struct abi_ktermios old = tty->termios;

	type("partial");
	tty->termios.lflag &= ~(uint32_t)ICANON;
	n_tty_termios_changed(tty, &old);
	expect_read(3, "par");
	old = tty->termios;
	tty->termios.lflag |= ICANON;
	n_tty_termios_changed(tty, &old);
	expect_read(100, "tial");
	no_input();
}

static void test_output(void **state)
{
	tty->termios.oflag |= XTABS;
	for (const char *p = "a\tb\nc"; *p; p++)
		assert_true(n_tty_output_char(tty, (uint8_t)*p, false));
	expect_out("a       b\r\nc");
	while (n_tty_output_char(tty, 'x', false))
		;
	/* room for echo is kept */
	assert_true(tty_out_room(tty, true) >= TTY_OUT_ECHO);
	type("e");
	assert_true(tty_out_count(tty) > TTY_OUT_SIZE - TTY_OUT_ECHO);
}

static void test_packet(void **state)
{
	tty->packet = true;
	type("\023");
	assert_true(tty->stopped && tty->packet_status & TIOCPKT_STOP);
	type("\021");
	assert_false(tty->stopped);
	assert_int_equal(tty->packet_status & (TIOCPKT_STOP | TIOCPKT_START), TIOCPKT_START);
}

static void test_random(void **state)
{
	static char buf[300];
	uint8_t out[512];

	srand(1);
	for (int i = 0; i < 200000; i++) {
		struct abi_ktermios old = tty->termios;
		struct uio u;

		switch (rand() % 8) {
		case 0:
			uio_init_kernel(&u, buf, (size_t)(rand() % 300));
			if (n_tty_input_available(tty, false))
				n_tty_read(tty, &file, &u);
			break;
		case 1:
			tty_out_get(tty, out, (size_t)(rand() % 512));
			break;
		case 2:
			if (rand() % 20)
				break;
			tty->termios.lflag ^= 1u << (rand() % 16);
			tty->termios.iflag ^= 1u << (rand() % 16);
			tty->termios.oflag ^= 1u << (rand() % 14);
			n_tty_termios_changed(tty, &old);
			break;
		default:
			for (int k = rand() % 40; k > 0; k--) {
				uint8_t c = (uint8_t)(rand() % 4 ? rand() % 32 : rand());

				n_tty_receive(tty, &c, 1);
			}
		}
		assert_true(tty->head - tty->tail < TTY_IN_SIZE);
		assert_true(tty->canon_head - tty->tail <= tty->head - tty->tail);
		assert_true(tty_out_count(tty) <= TTY_OUT_SIZE);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_lines), T(test_editing), T(test_utf8_erase), T(test_eof), T(test_long_line),
		T(test_full_of_lines), T(test_mode_change), T(test_output), T(test_packet), T(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
