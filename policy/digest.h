/* SPDX-License-Identifier: MIT */
/* Hexadecimal digits and sha256. */
#ifndef DEBAR_POLICY_DIGEST_H
#define DEBAR_POLICY_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* @digits hex digits (an even number) into @ret; false when one is no hex digit. */
bool digest_decode(const char *hex, size_t digits, uint8_t *ret);

/* Lower-case hex and a NUL into @buf of 2 * @len + 1. Returns @buf. */
const char *digest_encode(const uint8_t *bytes, size_t len, char *buf);

/* 0 or -ENOMEM. */
int digest_sha256(const void *bytes, size_t len, uint8_t ret_digest[32]);

#endif
