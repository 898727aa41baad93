/* SPDX-License-Identifier: MIT */
#include "loader/identity/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "loader/identity/identity.h"
#include "policy/cleanup.h"

static ssize_t memory_pread(void *ctx, void *buf, size_t len, uint64_t off)
{
	const struct identity_memory *memory = ctx;

	if (off >= memory->len)
		return 0;
	if (len > memory->len - off)
		len = memory->len - off;
	memcpy(buf, memory->data + off, len);
	return (ssize_t)len;
}

struct identity_reader identity_memory_reader(struct identity_memory *memory)
{
	return (struct identity_reader){
		.pread = memory_pread,
		.ctx = memory,
		.size = memory->len,
	};
}

int reader_read(const struct identity_reader *reader, void *buf, size_t len, uint64_t off)
{
	uint8_t *at = buf;

	while (len) {
		ssize_t n = reader->pread(reader->ctx, at, len, off);

		if (n < 0)
			return (int)n;
		/* size said there is more: somebody made the file shorter since */
		if (!n)
			return -EAGAIN;
		at += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int reader_copy(const struct identity_reader *reader, uint64_t off, size_t len, uint8_t **ret_buf)
{
	cleanup(cleanup_free) uint8_t *buf = NULL;
	int err;

	if (off > reader->size || len > reader->size - off)
		return -EINVAL;
	buf = malloc(len ? len : 1);
	if (!buf)
		return -ENOMEM;
	err = reader_read(reader, buf, len, off);
	if (err)
		return err;
	*ret_buf = take(buf);
	return 0;
}
