/* SPDX-License-Identifier: MIT */
/* Strings that others chose, made safe for JSON and for terminals; and the line for people. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "loader/report.h"
#include "policy/cleanup.h"

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

/* The bytes of the UTF-8 character at @at, and which it is; 0: it is none. */
static size_t utf8_char(const unsigned char *at, size_t len, uint32_t *ret_char)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t bytes = at[0] < 0x80 ? 1 :
		       at[0] < 0xc2 ? 0 :
		       at[0] < 0xe0 ? 2 :
		       at[0] < 0xf0 ? 3 :
				      4;
	uint32_t c = at[0];

	if (!bytes || bytes > len || at[0] > 0xf4)
		return 0;
	if (bytes > 1)
		c &= 0x7fu >> bytes;
	for (size_t i = 1; i < bytes; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (at[i] & 0x3f);
	}
	if (c < smallest[bytes] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_char = c;
	return bytes;
}

json_t *report_string(const char *bytes, size_t size)
{
	size_t len = strnlen(bytes, size), used = 0, step;
	cleanup(cleanup_free) char *text = malloc(4 * len + 1);
	uint32_t c;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += step) {
		step = utf8_char((const unsigned char *)bytes + i, len - i, &c);
		if (step) {
			memcpy(text + used, bytes + i, step);
			used += step;
		} else {
			used += (size_t)sprintf(text + used, "\\x%02x", (unsigned char)bytes[i]);
			step = 1;
		}
	}
	return json_stringn(text, used);
}

/* Control characters, what turns the direction of writing, and what is not seen at all. */
static bool is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xe0000 && c <= 0xe007f);
}

char *report_printable(const char *utf8)
{
	size_t len = strlen(utf8), used = 0, step;
	char *text = malloc(10 * len + 1);
	uint32_t c;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += step) {
		step = utf8_char((const unsigned char *)utf8 + i, len - i, &c);
		if (!step) {
			used += (size_t)sprintf(text + used, "\\x%02x", (unsigned char)utf8[i]);
			step = 1;
		} else if (is_hidden(c)) {
			used += (size_t)sprintf(text + used, c < 0x100 ? "\\x%02x" : "\\u{%x}", c);
		} else {
			memcpy(text + used, utf8 + i, step);
			used += step;
		}
	}
	text[used] = '\0';
	return text;
}

/* The string at a path of keys ("rule", "id", NULL); NULL when there is none. */
static const char *string_at(const json_t *json, const char *key, const char *below,
			     const char *last)
{
	json = json_object_get(json, key);
	if (below)
		json = json_object_get(json, below);
	if (last)
		json = json_object_get(json, last);
	return json_string_value(json);
}

/* @value between two pieces of text of ours; nothing at all where there is no value. */
static void put(FILE *out, const char *before, const char *value, const char *after)
{
	cleanup(cleanup_free) char *text = value ? report_printable(value) : NULL;

	if (text)
		fprintf(out, "%s%s%s", before, text, after);
}

/* The same with a number or a digest that only its beginning is shown of. */
static void put_start(FILE *out, const char *before, const char *value, size_t shown,
		      const char *after)
{
	char start[32];

	if (value && strlen(value) > shown) {
		snprintf(start, sizeof(start), "%.*s", (int)shown, value);
		value = start;
	}
	put(out, before, value, after);
}

static const char *outcome_word(const char *outcome)
{
	if (outcome && strcmp(outcome, "failure") == 0)
		return "denied";
	return outcome && strcmp(outcome, "success") == 0 ? "audited" : "noted";
}

/* What was acted on: a file, a name, an address. */
static const char *object_of(const json_t *event)
{
	const char *object = string_at(event, "file", "path", NULL);

	if (!object)
		object = string_at(event, "dns", "question", "name");
	if (!object)
		object = string_at(event, "destination", "domain", NULL);
	if (!object)
		object = string_at(event, "destination", "ip", NULL);
	if (!object)
		object = string_at(event, "message", NULL, NULL);
	return object ? object : "memory";
}

static enum debar_because because_of(const char *name)
{
	unsigned int i = 0;

	while (i < DEBAR_BECAUSE_MAX && strcmp(report_because_name(i), name) != 0)
		i++;
	return i;
}

/* A rule without a note is named by its words, which are the key where it names one exactly. */
static bool is_same(const char *name, const char *kind, const char *value)
{
	size_t len = strlen(kind);

	return name && !strncmp(name, kind, len) && name[len] == ' ' &&
	       !strcmp(name + len + 1, value);
}

/* Which rule, by which key: what the reader has to look up. */
static void put_reason(FILE *out, const json_t *event)
{
	const char *because = string_at(event, "debar", "because", NULL);
	const char *kind = string_at(event, "debar", "matched", "kind");
	const char *value = string_at(event, "debar", "matched", "value");
	const char *name = string_at(event, "rule", "name", NULL);

	if (because)
		put(out, "  because ", report_because_words(because_of(because)), "");
	put(out, "  rule ", string_at(event, "rule", "id", NULL), "");
	put(out, " \"", name, "\"");
	if (!kind || !value || is_same(name, kind, value))
		return;
	put(out, " (", kind, " ");
	if (strlen(value) == 64)
		put_start(out, "", value, 12, "...)");
	else
		put(out, "", value, ")");
}

static void put_actor(FILE *out, const json_t *event)
{
	const json_t *process = json_object_get(event, "process");
	json_int_t pid = json_integer_value(json_object_get(process, "pid"));

	if (!pid)
		return;
	put(out, "  by ", string_at(event, "process", "name", NULL), "");
	fprintf(out, "[%lld]", (long long)pid);
	put(out, " uid ", string_at(event, "user", "id", NULL), "");
	put_start(out, " container ", string_at(event, "container", "id", NULL), 12, "");
}

static void put_line(FILE *out, const json_t *event, bool colour)
{
	const char *outcome = outcome_word(string_at(event, "event", "outcome", NULL));
	const char *tint = !colour ? "" : outcome[0] == 'd' ? RED : outcome[0] == 'a' ? YELLOW : "";
	const json_t *count = json_object_get(json_object_get(event, "debar"), "count");

	put_start(out, "", string_at(event, "@timestamp", NULL, NULL), 19, "Z  ");
	fprintf(out, "%s%-7s%s", tint, outcome, tint[0] ? PLAIN : "");
	fprintf(out, "  %-8s", string_at(event, "event", "action", NULL));
	put(out, "  ", object_of(event), "");
	put_reason(out, event);
	put(out, "  signed by ", string_at(event, "file", "code_signature", "subject_name"), "");
	put_actor(out, event);
	if (json_integer_value(count) > 1)
		fprintf(out, "  x%lld", (long long)json_integer_value(count));
}

int report_text(const json_t *event, bool colour, char **ret_line)
{
	cleanup(cleanup_free) char *line = NULL;
	size_t len = 0;
	FILE *out;

	if (!json_is_object(event) || !string_at(event, "event", "action", NULL))
		return -EINVAL;
	out = open_memstream(&line, &len);
	if (!out)
		return -ENOMEM;
	put_line(out, event, colour);
	if (fclose(out))
		return -ENOMEM;
	*ret_line = take(line);
	return 0;
}
