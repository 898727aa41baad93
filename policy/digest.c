/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <openssl/sha.h>

#include "policy/digest.h"

/* Value of a hex digit plus one, 0: none. A table, because lists have tens of millions of them. */
/* clang-format off */
static const uint8_t hex_values[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};
/* clang-format on */

bool digest_decode(const char *hex, size_t digits, uint8_t *ret)
{
	const unsigned char *at = (const unsigned char *)hex;

	for (size_t i = 0; i < digits / 2; i++) {
		uint8_t high = hex_values[at[2 * i]], low = hex_values[at[2 * i + 1]];

		if (!high || !low)
			return false;
		ret[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	return true;
}

const char *digest_encode(const uint8_t *bytes, size_t len, char *buf)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		buf[2 * i] = digits[bytes[i] >> 4];
		buf[2 * i + 1] = digits[bytes[i] & 15];
	}
	buf[2 * len] = '\0';
	return buf;
}

int digest_sha256(const void *bytes, size_t len, uint8_t ret_digest[32])
{
	return SHA256(bytes, len, ret_digest) ? 0 : -ENOMEM;
}
