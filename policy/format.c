/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/digest.h"
#include "policy/format.h"
#include "policy/value.h"

int format_open(struct format *format)
{
	format->stream = open_memstream(&format->text, &format->len);
	return format->stream ? 0 : -ENOMEM;
}

int format_done(struct format *format, char **ret_text, size_t *ret_len)
{
	int bad = ferror(format->stream);

	bad |= fclose(format->stream);
	format->stream = NULL;
	if (bad)
		return -ENOMEM;
	*ret_text = format->text;
	if (ret_len)
		*ret_len = format->len;
	format->text = NULL;
	return 0;
}

void format_close(struct format *format)
{
	if (format->stream)
		(void)fclose(format->stream);
	free(format->text);
}

/* Words that a YAML reader takes for something other than text. */
static bool special(const char *text)
{
	static const char *const words[] = { "true", "false", "null", "yes", "no",
					     "on",   "off",   "y",    "n" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(words[i], text) == 0)
			return true;
	return false;
}

/* Letters first, and nothing that means something to YAML: needs no quotes. */
static bool plain(const char *text)
{
	size_t len = strlen(text);

	if (!((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z') ||
	      text[0] == '/'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
		      (text[i] >= '0' && text[i] <= '9') || strchr("/._+-@", text[i]) ||
		      (text[i] == ' ' && text[i + 1])))
			return false;
	return !special(text);
}

void format_scalar(FILE *out, const char *text)
{
	if (plain(text)) {
		(void)fputs(text, out);
		return;
	}
	(void)fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

/* Hex digits: quoted where YAML would read a number (all digits, or 12e34). */
static void format_hex(FILE *out, const uint8_t *bytes, size_t len)
{
	char hex[2 * 64 + 1];
	bool number;

	digest_encode(bytes, len, hex);
	number = !hex[strspn(hex, "0123456789e")];
	(void)fprintf(out, number ? "\"%s\"" : "%s", hex);
}

static void format_name(FILE *out, const char *part, const struct policy_attribute_rule *rules,
			size_t count, bool *first)
{
	if (!count)
		return;
	(void)fprintf(out, "%s%s: { ", *first ? "" : ", ", part);
	*first = false;
	for (size_t i = 0; i < count; i++) {
		(void)fputs(i ? ", " : "", out);
		format_scalar(out, rules[i].name);
		(void)fputs(": ", out);
		if (rules[i].value_count > 1)
			(void)fputc('[', out);
		for (size_t j = 0; j < rules[i].value_count; j++) {
			(void)fputs(j ? ", " : "", out);
			format_scalar(out, rules[i].values[j]);
		}
		if (rules[i].value_count > 1)
			(void)fputc(']', out);
	}
	(void)fputs(" }", out);
}

static void format_part(FILE *out, const char *part, const uint8_t *bytes, size_t len, bool *first)
{
	(void)fprintf(out, "%s%s: ", *first ? "" : ", ", part);
	*first = false;
	format_hex(out, bytes, len);
}

static void format_certificate(FILE *out, const struct policy_certificate *c)
{
	bool first = true;

	(void)fputs("{ ", out);
	format_name(out, "subject", c->subject, c->subject_count, &first);
	format_name(out, "issuer", c->issuer, c->issuer_count, &first);
	if (c->serial) {
		(void)fprintf(out, "%sserial: \"%s%s\"", first ? "" : ", ",
			      strlen(c->serial) % 2 ? "0" : "", c->serial);
		first = false;
	}
	if (c->has_sha256)
		format_part(out, "sha256", c->sha256, sizeof(c->sha256), &first);
	if (c->has_sha1)
		format_part(out, "sha1", c->sha1, sizeof(c->sha1), &first);
	if (c->has_spki_sha256)
		format_part(out, "spki_sha256", c->spki_sha256, sizeof(c->spki_sha256), &first);
	if (c->position == POLICY_POSITION_ANY)
		(void)fputs(", position: any", out);
	(void)fputs(" }", out);
}

static void format_text(FILE *out, const char *before, const char *text, size_t len,
			const char *after)
{
	char whole[POLICY_VALUE_MAX + 8];

	(void)snprintf(whole, sizeof(whole), "%s%.*s%s", before, (int)len, text, after);
	format_scalar(out, whole);
}

void format_value(FILE *out, const struct policy *policy, const struct rule_value *value)
{
	const void *bytes = model_bytes(policy, value);
	const struct policy_certificate *certificate;
	struct network_value network;
	char text[80];
	uint32_t uid;

	switch ((enum policy_matcher)value->matcher) {
	case POLICY_CERTIFICATE:
		certificate = model_certificate(policy, value);
		if (certificate) {
			format_certificate(out, certificate);
		} else {
			(void)fputs("{ sha256: ", out);
			format_hex(out, bytes, value->len);
			(void)fputs(" }", out);
		}
		return;
	case POLICY_FSVERITY:
		(void)fprintf(out, "sha256:%s", digest_encode(bytes, value->len, text));
		return;
	case POLICY_PACKAGE:
		format_text(out, "", bytes, value->len, value->flags & RULE_PREFIX ? "*" : "");
		return;
	case POLICY_DOMAIN:
		format_text(out, value->flags & RULE_EXACT ? "=" : "", bytes, value->len, "");
		return;
	case POLICY_PATH:
	case POLICY_CGROUP:
		format_text(out, "", bytes, value->len, "");
		return;
	case POLICY_NETWORK:
		network = value_network(policy, value);
		format_scalar(out, value_network_format(&network, text, sizeof(text)));
		return;
	case POLICY_UID:
		memcpy(&uid, bytes, sizeof(uid));
		(void)fprintf(out, "%u", uid);
		return;
	default:
		format_hex(out, bytes, value->len);
	}
}

void format_line(FILE *out, const struct policy *policy, const struct rule_value *value)
{
	const void *bytes = model_bytes(policy, value);
	struct network_value network;
	char text[2 * 64 + 1];

	switch ((enum policy_matcher)value->matcher) {
	case POLICY_PACKAGE:
		(void)fprintf(out, "%.*s%s", value->len, (const char *)bytes,
			      value->flags & RULE_PREFIX ? "*" : "");
		return;
	case POLICY_DOMAIN:
		(void)fprintf(out, "%s%s", value->flags & RULE_EXACT ? "=" : "",
			      (const char *)bytes);
		return;
	case POLICY_PATH:
		(void)fprintf(out, "%.*s", value->len, (const char *)bytes);
		return;
	case POLICY_NETWORK:
		network = value_network(policy, value);
		(void)fputs(value_network_format(&network, text, sizeof(text)), out);
		return;
	case POLICY_FSVERITY:
		(void)fprintf(out, "sha256:%s", digest_encode(bytes, value->len, text));
		return;
	default:
		(void)fputs(digest_encode(bytes, value->len, text), out);
	}
}

const char *model_value_format(const struct policy *policy, const struct rule_value *value,
			       char *buf, size_t size)
{
	FILE *out = fmemopen(buf, size, "w");

	buf[0] = '\0';
	if (!out)
		return buf;
	format_value(out, policy, value);
	(void)fclose(out);
	buf[size - 1] = '\0';
	return buf;
}
