/* What a terminal is spared of text that a guest chose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "launcher/cli/clean.h"

static void becomes(const char *s, bool lines, const char *want)
{
	size_t size;
	char *got;
	FILE *f = open_memstream(&got, &size);

	assert_non_null(f);
	clean_print(f, s, lines);
	fclose(f);
	assert_string_equal(got, want);
	free(got);
}

static void ascii(void **state)
{
	becomes("", false, "");
	becomes("sleep 100", false, "sleep 100");
	becomes("\033]0;title\a\033[2J", false, "?]0;title??[2J");
	becomes("a\nb\tc\rd\be\177", false, "a?b?c?d?e?");
	becomes("a\nb\tc\rd", true, "a\nb\tc?d");
}

static void utf8(void **state)
{
	becomes("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", false, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
	becomes("\xc2\x9b" "31m\xc2\x80\xc2\x9f\xc2\xa0", false, "?31m??\xc2\xa0"); /* CSI as one character */
	becomes("\x9b" "31m", false, "?31m");                                      /* and as one byte */
	becomes("a\xe2\x80\xae" "b\xe2\x81\xa6" "c\xe2\x80\xa8" "d", false, "a?b?c?d"); /* turns of direction, a line's end */
}

static void broken_utf8(void **state)
{
	becomes("\xc0\x9b", false, "??");         /* longer than need be */
	becomes("\xe0\x82\x9b", false, "???");
	becomes("\xf0\x80\x82\x9b", false, "????");
	becomes("\xed\xa0\x80", false, "???");    /* a surrogate */
	becomes("\xf4\x90\x80\x80", false, "????");
	becomes("\xff\xfe", false, "??");
	becomes("\xe2\x82", false, "??");         /* cut off by the end */
	becomes("\xf0\x9f\x98", false, "???");
	becomes("\xe2\033[", false, "??[");       /* or by something else, which is looked at */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascii),
		cmocka_unit_test(utf8),
		cmocka_unit_test(broken_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
