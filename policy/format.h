/* SPDX-License-Identifier: MIT */
/* Pieces of canonical text, written to a stream that is memory. */
#ifndef DEBAR_POLICY_FORMAT_H
#define DEBAR_POLICY_FORMAT_H

#include <stdio.h>

#include "policy/model.h"

/* Text in memory while it is written. */
struct format {
	FILE *stream;
	char *text;
	size_t len;
};

int format_open(struct format *format);

/* Close and hand the text over. 0 or -ENOMEM. */
int format_done(struct format *format, char **ret_text, size_t *ret_len);

/* Drop what was not handed over; for cleanup(). */
void format_close(struct format *format);

/* A scalar, quoted where YAML needs it. */
void format_scalar(FILE *out, const char *text);

/* A value as a rule or an exception has it after "matcher: ". */
void format_value(FILE *out, const struct policy *policy, const struct rule_value *value);

/* A value as a line of a list has it: without quotes. */
void format_line(FILE *out, const struct policy *policy, const struct rule_value *value);

#endif
