/* Log lines: levels, both formats, and that no text can break a line or steer a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>
#include "common/log/log.h"

static char line[8192];

static const char *read_line(int fd)
{
	ssize_t n = read(fd, line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = 0;
	return line;
}

static void formats(void **state)
{
	int p[2];
	char big[4000];

	(void)state;
	assert_int_equal(pipe(p), 0);
	log_init("t", p[1], LOG_INFO_, LOG_TEXT);
	assert_false(log_enabled(LOG_DEBUG_));
	log_debug("not this");
	log_warn("hello %d", 5);
	assert_non_null(strstr(read_line(p[0]), "warning t: hello 5\n"));
	log_info("a\nb\033[2J");
	assert_non_null(strstr(read_line(p[0]), "a\\x0ab\\x1b[2J\n"));
	log_init("t", p[1], LOG_DEBUG_, LOG_JSON);
	log_debug("say \"hi\"\n");
	assert_non_null(strstr(read_line(p[0]), "\"msg\":\"say \\\"hi\\\"\\u000a\"}\n"));
	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	log_error("%s", big);
	assert_non_null(strstr(read_line(p[0]), "\"}\n"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	log_init("t", -1, LOG_DEBUG_, LOG_JSON);
	assert_false(log_enabled(LOG_ERROR_));
	log_error("nowhere");
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(formats)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
