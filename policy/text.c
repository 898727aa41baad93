/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "policy/model.h"
#include "policy/text.h"

/* Decode one UTF-8 character of at most @len bytes; its length, or 0 when it is not one. */
static size_t decode(const unsigned char *at, size_t len, uint32_t *ret_code)
{
	static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t need = at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;
	uint32_t code;

	if (!need || need > len)
		return 0;
	code = at[0] & (0x7f >> need);
	for (size_t i = 1; i < need; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	if (code < smallest[need] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return need;
}

/* Characters that hide what a text says: controls, and those that change its direction. */
static bool hides(uint32_t code)
{
	return code < 0x20 ? code != '\t' && code != '\n' && code != '\r' :
			     (code >= 0x7f && code <= 0x9f) || (code >= 0x202a && code <= 0x202e) ||
				     (code >= 0x2066 && code <= 0x2069) || code == 0x200e ||
				     code == 0x200f || code == 0x2028 || code == 0x2029;
}

/* Eight plain bytes at once: no high bit, nothing below 0x20 and no 0x7f. */
static bool plain(const char *at)
{
	const uint64_t ones = 0x0101010101010101ULL, high = ones << 7;
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return !((word | (word - ones * 0x20) | (word + ones)) & high);
}

int text_check(const char *text, size_t len, const char *file, struct policy_error *reterr)
{
	unsigned int line = 1, column = 1;
	size_t i = 0, start = 0;

	while (i < len) {
		const unsigned char *at = (const unsigned char *)text + i;
		uint32_t code = at[0];
		size_t width = 1;

		if (len - i >= 8 && plain(text + i)) {
			i += 8;
			column += 8;
			continue;
		}
		if (at[0] >= 0x80) {
			width = decode(at, len - i, &code);
			if (!width)
				return policy_fail(reterr, file, line, column,
						   "byte 0x%02x is not UTF-8; save the file as "
						   "UTF-8 text",
						   at[0]);
		}
		if (!code)
			return policy_fail(reterr, file, line, column,
					   "NUL byte: this is binary data, not text");
		if (hides(code))
			return policy_fail(reterr, file, line, column,
					   "control character U+%04X; remove it", code);
		i += width;
		column++;
		/* A byte order mark at the very start is no column of its own. */
		if (code == 0xfeff && i == width + start)
			column = 1;
		if (code == '\n') {
			line++;
			column = 1;
		}
	}
	return 0;
}

const char *text_shorten(const char *text, size_t len, char *buf, size_t size)
{
	size_t most = len > 40 ? 40 : len;

	/* Never cut a character in two. */
	while (most < len && most && ((unsigned char)text[most] & 0xc0) == 0x80)
		most--;
	(void)snprintf(buf, size, "%.*s%s", (int)most, text, most < len ? "..." : "");
	/* An escaped control character must not reach a terminal. */
	for (char *at = buf; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
	return buf;
}

size_t text_fold(char *text, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		bool space = text[i] == ' ' || text[i] == '\t' || text[i] == '\n' ||
			     text[i] == '\r';

		if (!space)
			text[used++] = text[i];
		else if (used && text[used - 1] != ' ')
			text[used++] = ' ';
	}
	while (used && text[used - 1] == ' ')
		used--;
	text[used] = '\0';
	return used;
}
