/* SPDX-License-Identifier: MIT */
/* Decompression with a bound: xz, zstd and gzip, told by their first bytes. */
#ifndef DEBAR_LOADER_IDENTITY_UNPACK_H
#define DEBAR_LOADER_IDENTITY_UNPACK_H

#include <stddef.h>
#include <stdint.h>

struct identity_reader;

/* Memory a decoder may ask for: the window is chosen by whoever packed the file. */
#define UNPACK_MEMORY_LOG 26

/* The first @want bytes that come out of @packed. -EINVAL: not packed, broken, or fewer. */
int unpack_peek(const uint8_t *packed, size_t packed_len, uint8_t *out, size_t want);

/*
 * All of [off, off + len) of the file. -EFBIG: more than @max bytes come out; -EINVAL: not packed
 * by something we know, or broken. What is not compressed at all is not copied either.
 */
int unpack(const struct identity_reader *reader, uint64_t off, uint64_t len, size_t max,
	   uint8_t **ret_bytes, size_t *ret_len);

#endif
