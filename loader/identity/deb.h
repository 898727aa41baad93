/* SPDX-License-Identifier: MIT */
/* A Debian package at rest: the name in its control file, and the key of debsigs. */
#ifndef DEBAR_LOADER_IDENTITY_DEB_H
#define DEBAR_LOADER_IDENTITY_DEB_H

#include <stddef.h>
#include <stdint.h>

struct identity;
struct identity_reader;

int deb_read(struct identity *identity, const struct identity_reader *reader, const uint8_t *head,
	     size_t head_len, unsigned int flags);

#endif
