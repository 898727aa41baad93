/* SPDX-License-Identifier: MIT */
/*
 * Text as bytes: is it text at all, how is a piece of it shown, what does it look like in prose.
 */
#ifndef DEBAR_POLICY_TEXT_H
#define DEBAR_POLICY_TEXT_H

#include <stddef.h>

struct policy_error;

/* UTF-8 without NUL, control or direction-changing characters? Else -EINVAL with the position. */
int text_check(const char *text, size_t len, const char *file, struct policy_error *reterr);

/* The first @len bytes of @text, at most about 40, for an error message. Returns @buf. */
const char *text_shorten(const char *text, size_t len, char *buf, size_t size);

/* Runs of spaces and line breaks become one space, none at the ends; in place. The new length. */
size_t text_fold(char *text, size_t len);

#endif
