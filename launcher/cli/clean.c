/* UTF-8 as RFC 3629 has it: the shortest form alone, no surrogates, nothing above U+10FFFF. */
#include "launcher/cli/clean.h"

#include <stdint.h>

/* The size of the character at s and what it is; 0: it is none. Stops at the end of the string. */
static unsigned decode(const unsigned char *s, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned size = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
	uint32_t c;

	if (size < 2) {
		*ret = s[0];
		return size;
	}
	c = s[0] & (0x7fu >> size);
	for (unsigned i = 1; i < size; i++) {
		if (s[i] >> 6 != 2) /* the end of the string, too */
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret = c;
	return size;
}

static bool harmless(uint32_t c)
{
	return !(c < 0x20 || (c >= 0x7f && c < 0xa0) ||
		 (c >= 0x200b && c <= 0x200f) ||                                 /* invisible, marks of direction */
		 (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || /* ends of lines, turns of direction */
		 c == 0x061c || c == 0xfeff);
}

void clean_print(FILE *out, const char *s, bool lines)
{
	const unsigned char *p = (const unsigned char *)s, *from = p;

	while (*p) {
		uint32_t c;
		unsigned size = decode(p, &c);

		if (size && (harmless(c) || (lines && (c == '\n' || c == '\t')))) {
			p += size;
			continue;
		}
		fwrite(from, 1, (size_t)(p - from), out); /* in one go: stderr has no buffer */
		putc('?', out);
		from = p += size ? size : 1;
	}
	fwrite(from, 1, (size_t)(p - from), out);
}
