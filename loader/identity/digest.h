/* SPDX-License-Identifier: MIT */
/* Digests, several at once, over bytes that pass by once. */
#ifndef DEBAR_LOADER_IDENTITY_DIGEST_H
#define DEBAR_LOADER_IDENTITY_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evp_md_ctx_st;
struct evp_md_st;
struct identity_reader;

#define DIGEST_SIZE_MAX 64

/* Those a signature can name and we compute; MD5 and older are left unknown. */
enum digest_kind {
	DIGEST_SHA1,
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
	DIGEST_KIND_MAX
};

/* OpenSSL's number of an algorithm -> its kind, or DIGEST_KIND_MAX. */
enum digest_kind digest_kind_of(int nid);

/* OpenSSL's method, and the size of the digest in bytes. */
const struct evp_md_st *digest_md(enum digest_kind kind);
size_t digest_size(enum digest_kind kind);

struct digest_set {
	struct evp_md_ctx_st *ctx[DIGEST_KIND_MAX]; /* NULL: not asked for */
	bool has[DIGEST_KIND_MAX];
	uint8_t value[DIGEST_KIND_MAX][DIGEST_SIZE_MAX];
};

/* @kinds: bits of 1 << enum digest_kind. -ENOMEM, or -EOPNOTSUPP when OpenSSL refuses one. */
int digest_start(struct digest_set *set, unsigned int kinds);
int digest_update(struct digest_set *set, const void *data, size_t len);
void digest_drop(struct digest_set *set, enum digest_kind kind); /* it is not wanted after all */
int digest_finish(struct digest_set *set);
void digest_release(struct digest_set *set);

/* One digest of a piece of memory. @ret_value has room for DIGEST_SIZE_MAX bytes. */
int digest_memory(enum digest_kind kind, const void *data, size_t len, uint8_t *ret_value);

/* sha256 of everything the reader has, in large reads. */
int digest_reader(const struct identity_reader *reader, uint8_t ret_sha256[32]);

/* Bytes of one read when a whole file passes by: it stays in the processor's cache. */
#define DIGEST_CHUNK (256u << 10)

#endif
