/* SPDX-License-Identifier: MIT */
/* OLE2 documents, which Windows installers are: the signature in their own stream. */
#ifndef DEBAR_LOADER_IDENTITY_MSI_H
#define DEBAR_LOADER_IDENTITY_MSI_H

#include <stddef.h>
#include <stdint.h>

struct identity;
struct identity_reader;

int msi_read(struct identity *identity, const struct identity_reader *reader, const uint8_t *head,
	     size_t head_len, unsigned int flags);

#endif
