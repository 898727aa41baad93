/* SPDX-License-Identifier: MIT */
/* An RPM package at rest: the name in its header, and the key that signed it. */
#ifndef DEBAR_LOADER_IDENTITY_RPM_H
#define DEBAR_LOADER_IDENTITY_RPM_H

#include <stddef.h>
#include <stdint.h>

struct identity;
struct identity_reader;

int rpm_read(struct identity *identity, const struct identity_reader *reader, const uint8_t *head,
	     size_t head_len, unsigned int flags);

#endif
