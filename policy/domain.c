/* SPDX-License-Identifier: MIT */
/*
 * Names as the kernel compares them: lower case, ASCII, no dot at the end. A name that is plain
 * ASCII, as nearly all in a long list are, never enters libidn2.
 */
#include <errno.h>
#include <string.h>

#include <idn2.h>

#include "policy/policy.h"

#define NAME_MAX_LEN 253
#define LABEL_MAX_LEN 63

static const char *label_words(const char *label, size_t len)
{
	if (!len)
		return "a name has no empty label; remove the doubled or leading dot";
	if (len > LABEL_MAX_LEN)
		return "a label is longer than 63 bytes";
	if (label[0] == '-' || label[len - 1] == '-')
		return "a label neither begins nor ends with a hyphen";
	return NULL;
}

static const char *character_words(char c)
{
	switch (c) {
	case '*':
		return "no wildcard is needed: a name stands for itself and every name below it";
	case '_':
		return "an underscore is no part of a host name; name the domain above it";
	case ' ':
	case '\t':
		return "a name has no spaces";
	case '/':
	case ':':
		return "a name only: no scheme, port or path (an address belongs to network:)";
	default:
		return "a name has letters, digits, hyphens and dots only";
	}
}

/* Check @name, lower it in place. */
static const char *ascii_words(char *name, size_t len)
{
	size_t start = 0;
	bool digits = true;

	if (!len)
		return "the name is empty";
	if (name[len - 1] == '.')
		return "write the name without the dot at its end";
	if (len > NAME_MAX_LEN)
		return "a name is at most 253 bytes long";
	for (size_t i = 0; i <= len; i++) {
		char c = name[i];

		if (i == len || c == '.') {
			const char *words = label_words(name + start, i - start);

			if (words)
				return words;
			start = i + 1;
			if (i < len)
				digits = true;
			continue;
		}
		if (c >= 'A' && c <= 'Z')
			c = name[i] = (char)(c - 'A' + 'a');
		if (c < '0' || c > '9')
			digits = false;
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return character_words(c);
	}
	return digits ? "this is an address, not a name; use network:" : NULL;
}

/* Labels in another script, and labels that claim to be such in their ASCII form. */
static const char *idna_words(char name[256])
{
	char *converted = NULL;
	int err = idn2_lookup_u8((const uint8_t *)name, (uint8_t **)&converted,
				 IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	const char *words = NULL;

	if (err == IDN2_TOO_BIG_LABEL)
		words = "a label is longer than 63 bytes in its ASCII form";
	else if (err != IDN2_OK)
		words = "not a name that IDNA 2008 allows";
	else if (strlen(converted) > NAME_MAX_LEN)
		words = "a name is at most 253 bytes long";
	else
		memcpy(name, converted, strlen(converted) + 1);
	idn2_free(converted);
	return words;
}

static bool has_alabel(const char *name)
{
	for (const char *at = name; at; at = strchr(at, '.')) {
		at += *at == '.';
		if (strncmp(at, "xn--", 4) == 0)
			return true;
	}
	return false;
}

/* A name in ASCII form is kept as it is when its labels can be decoded at all. */
static const char *alabel_words(const char *name)
{
	char *decoded = NULL;
	int err = idn2_to_unicode_8z8z(name, &decoded, 0);

	idn2_free(decoded);
	return err == IDN2_OK ? NULL : "a label begins with xn-- and is not a name in ASCII form";
}

int policy_domain_normalise(const char *text, size_t len, char ret_name[256],
			    const char **ret_words)
{
	const char *words = NULL;
	bool ascii = true;

	if (len > 255)
		len = 255; /* too long either way, and the message says so */
	memcpy(ret_name, text, len);
	ret_name[len] = '\0';
	for (size_t i = 0; i < len; i++)
		ascii &= (unsigned char)ret_name[i] < 0x80;
	if (!ascii)
		words = idna_words(ret_name);
	if (!words)
		words = ascii_words(ret_name, strlen(ret_name));
	if (!words && ascii && has_alabel(ret_name))
		words = alabel_words(ret_name);
	if (words) {
		*ret_words = words;
		return -EINVAL;
	}
	return 0;
}
