/* SPDX-License-Identifier: MIT */
/* PE/COFF: the Authenticode digests of the image, and every signature in its certificate table. */
#ifndef DEBAR_LOADER_IDENTITY_PE_H
#define DEBAR_LOADER_IDENTITY_PE_H

#include <stddef.h>
#include <stdint.h>

struct identity;
struct identity_reader;

int pe_read(struct identity *identity, const struct identity_reader *reader, const uint8_t *head,
	    size_t head_len, unsigned int flags);

#endif
