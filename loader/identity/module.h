/* SPDX-License-Identifier: MIT */
/* What sign-file appends to kernel modules, and modules compressed as modprobe loads them. */
#ifndef DEBAR_LOADER_IDENTITY_MODULE_H
#define DEBAR_LOADER_IDENTITY_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct identity;
struct identity_reader;

/* Does the file end as a signed module does? Costs one small read. */
int module_is_signed(const struct identity_reader *reader, bool *ret_signed);

/* Every signature appended to @data, the last one first. */
int module_read(struct identity *identity, const uint8_t *data, size_t len, unsigned int flags);

/* A compressed file: a module if an object file comes out of it, else data. */
int module_read_packed(struct identity *identity, const struct identity_reader *reader,
		       const uint8_t *head, size_t head_len, unsigned int flags);

#endif
