/* SPDX-License-Identifier: MIT */
/* Reading whole ranges, and little- and big-endian numbers out of them. */
#ifndef DEBAR_LOADER_IDENTITY_READER_H
#define DEBAR_LOADER_IDENTITY_READER_H

#include <stddef.h>
#include <stdint.h>

struct identity_reader;

/* All of a range that lies inside reader->size; -EAGAIN when the file has become shorter. */
int reader_read(const struct identity_reader *reader, void *buf, size_t len, uint64_t off);

/* The range [off, off + len) in an allocation of its own; -EINVAL when it is not in the file. */
int reader_copy(const struct identity_reader *reader, uint64_t off, size_t len, uint8_t **ret_buf);

static inline uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint32_t be32(const uint8_t *p)
{
	return p[3] | p[2] << 8 | p[1] << 16 | (uint32_t)p[0] << 24;
}

#endif
