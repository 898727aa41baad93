/* SPDX-License-Identifier: MIT */
#include "loader/identity/unpack.h"

#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "loader/identity/identity.h"
#include "loader/identity/reader.h"
#include "policy/cleanup.h"

#define CHUNK 65536

enum packing {
	PACKED_NOT,
	PACKED_XZ,
	PACKED_ZSTD,
	PACKED_GZIP,
};

/* One decoder at work. Each step eats some of `in` and fills some of `out`. */
struct unpacker {
	enum packing packing;
	lzma_stream xz;
	ZSTD_DStream *zstd;
	z_stream gzip;
	const uint8_t *in;
	size_t in_len;
	bool last; /* nothing follows `in` */
	uint8_t *out;
	size_t out_len;
	bool done;
};

static enum packing packing_of(const uint8_t *head, size_t len)
{
	if (len >= 6 && !memcmp(head,
				"\xfd"
				"7zXZ",
				6))
		return PACKED_XZ;
	if (len >= 4 && !memcmp(head, "\x28\xb5\x2f\xfd", 4))
		return PACKED_ZSTD;
	if (len >= 3 && !memcmp(head, "\x1f\x8b\x08", 3))
		return PACKED_GZIP;
	return PACKED_NOT;
}

static void unpacker_end(struct unpacker *u)
{
	lzma_end(&u->xz);
	ZSTD_freeDStream(u->zstd);
	if (u->packing == PACKED_GZIP)
		inflateEnd(&u->gzip);
}

static int unpacker_start(struct unpacker *u, const uint8_t *head, size_t len)
{
	u->packing = packing_of(head, len);
	switch (u->packing) {
	case PACKED_XZ:
		return lzma_stream_decoder(&u->xz, 2ull << UNPACK_MEMORY_LOG, LZMA_CONCATENATED) ==
				       LZMA_OK ?
			       0 :
			       -ENOMEM;
	case PACKED_ZSTD:
		u->zstd = ZSTD_createDStream();
		if (!u->zstd)
			return -ENOMEM;
		ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, UNPACK_MEMORY_LOG);
		return 0;
	case PACKED_GZIP:
		return inflateInit2(&u->gzip, 15 + 16) == Z_OK ? 0 : -ENOMEM;
	case PACKED_NOT:
		break;
	}
	return -EINVAL;
}

static int xz_step(struct unpacker *u)
{
	lzma_ret ret;

	u->xz.next_in = u->in;
	u->xz.avail_in = u->in_len;
	u->xz.next_out = u->out;
	u->xz.avail_out = u->out_len;
	ret = lzma_code(&u->xz, u->last ? LZMA_FINISH : LZMA_RUN);
	u->in = u->xz.next_in;
	u->in_len = u->xz.avail_in;
	u->out = u->xz.next_out;
	u->out_len = u->xz.avail_out;
	u->done = ret == LZMA_STREAM_END;
	if (ret == LZMA_MEM_ERROR)
		return -ENOMEM;
	return ret == LZMA_OK || u->done ? 0 : -EINVAL;
}

static int zstd_step(struct unpacker *u)
{
	ZSTD_inBuffer in = { u->in, u->in_len, 0 };
	ZSTD_outBuffer out = { u->out, u->out_len, 0 };
	size_t ret = ZSTD_decompressStream(u->zstd, &out, &in);

	if (ZSTD_isError(ret))
		return -EINVAL;
	u->in += in.pos;
	u->in_len -= in.pos;
	u->out += out.pos;
	u->out_len -= out.pos;
	/* 0: a frame has ended; another may follow it. */
	u->done = !ret && !u->in_len && u->last;
	return u->in_len || u->last ? (in.pos || out.pos || u->done ? 0 : -EINVAL) : 0;
}

static int gzip_step(struct unpacker *u)
{
	int ret;

	u->gzip.next_in = (uint8_t *)u->in;
	u->gzip.avail_in = (unsigned int)u->in_len;
	u->gzip.next_out = u->out;
	u->gzip.avail_out = (unsigned int)u->out_len;
	ret = inflate(&u->gzip, Z_NO_FLUSH);
	u->in = u->gzip.next_in;
	u->in_len = u->gzip.avail_in;
	u->out = u->gzip.next_out;
	u->out_len = u->gzip.avail_out;
	if (ret == Z_STREAM_END) {
		/* Another member may follow; what is no member is padding. */
		u->done = !u->in_len || packing_of(u->in, u->in_len) != PACKED_GZIP;
		return u->done || inflateReset(&u->gzip) == Z_OK ? 0 : -EINVAL;
	}
	if (ret == Z_MEM_ERROR)
		return -ENOMEM;
	return ret == Z_OK || (ret == Z_BUF_ERROR && !u->last) ? 0 : -EINVAL;
}

static int step(struct unpacker *u)
{
	const uint8_t *in = u->in, *out = u->out;
	int err = u->packing == PACKED_XZ   ? xz_step(u) :
		  u->packing == PACKED_ZSTD ? zstd_step(u) :
					      gzip_step(u);

	/* No decoder may turn on the spot, whatever it says. */
	if (!err && !u->done && u->in == in && u->out == out && u->last && u->out_len)
		return -EINVAL;
	return err;
}

int unpack_peek(const uint8_t *packed, size_t packed_len, uint8_t *out, size_t want)
{
	cleanup(unpacker_end) struct unpacker u = { .xz = LZMA_STREAM_INIT };
	int err = unpacker_start(&u, packed, packed_len);

	u.in = packed;
	u.in_len = packed_len;
	u.out = out;
	u.out_len = want;
	while (!err && u.out_len && u.in_len && !u.done)
		err = step(&u);
	return err ? err : u.out_len ? -EINVAL : 0;
}

/* Room for at least CHUNK more bytes, up to one byte more than @max: that one means too many. */
static int grow(uint8_t **bytes, size_t *size, size_t used, size_t max)
{
	size_t want = *size ? *size : CHUNK;
	uint8_t *more;

	while (want < used + CHUNK)
		want *= 2;
	if (want > max + 1)
		want = max + 1;
	if (want == *size)
		return 0;
	more = realloc(*bytes, want);
	if (!more)
		return -ENOMEM;
	*bytes = more;
	*size = want;
	return 0;
}

int unpack(const struct identity_reader *reader, uint64_t off, uint64_t len, size_t max,
	   uint8_t **ret_bytes, size_t *ret_len)
{
	cleanup(unpacker_end) struct unpacker u = { .xz = LZMA_STREAM_INIT };
	cleanup(cleanup_free) uint8_t *chunk = malloc(CHUNK), *bytes = NULL;
	size_t size = 0, used = 0, n;
	int err = chunk ? 0 : -ENOMEM;

	while (!err && !u.done) {
		if (!u.in_len && len) {
			n = len < CHUNK ? (size_t)len : CHUNK;
			err = reader_read(reader, chunk, n, off);
			if (!err && !u.packing)
				err = unpacker_start(&u, chunk, n);
			u.in = chunk;
			u.in_len = n;
			off += n;
			len -= n;
			u.last = !len;
		}
		if (!err)
			err = u.packing ? grow(&bytes, &size, used, max) : -EINVAL;
		if (err)
			return err;
		u.out = bytes + used;
		u.out_len = size - used;
		err = step(&u);
		used = size - u.out_len;
		if (used > max)
			return -EFBIG;
	}
	if (err)
		return err;
	*ret_bytes = take(bytes);
	*ret_len = used;
	return 0;
}
