/* SPDX-License-Identifier: MIT */
#include "loader/identity/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/identity.h"
#include "loader/identity/reader.h"
#include "policy/cleanup.h"

/* clang-format off */
static const int nids[] = {
	[DIGEST_SHA1]   = NID_sha1,
	[DIGEST_SHA256] = NID_sha256,
	[DIGEST_SHA384] = NID_sha384,
	[DIGEST_SHA512] = NID_sha512,
};
/* clang-format on */
_Static_assert(sizeof(nids) / sizeof(*nids) == DIGEST_KIND_MAX, "a digest has no number");

const EVP_MD *digest_md(enum digest_kind kind)
{
	switch (kind) {
	case DIGEST_SHA1:
		return EVP_sha1();
	case DIGEST_SHA256:
		return EVP_sha256();
	case DIGEST_SHA384:
		return EVP_sha384();
	case DIGEST_SHA512:
		return EVP_sha512();
	case DIGEST_KIND_MAX:
		break;
	}
	return NULL;
}

enum digest_kind digest_kind_of(int nid)
{
	unsigned int kind;

	for (kind = 0; kind < DIGEST_KIND_MAX; kind++)
		if (nids[kind] == nid)
			return kind;
	return DIGEST_KIND_MAX;
}

size_t digest_size(enum digest_kind kind)
{
	return (size_t)EVP_MD_get_size(digest_md(kind));
}

int digest_start(struct digest_set *set, unsigned int kinds)
{
	unsigned int kind;

	for (kind = 0; kind < DIGEST_KIND_MAX; kind++) {
		if (!(kinds & 1u << kind))
			continue;
		set->ctx[kind] = EVP_MD_CTX_new();
		if (!set->ctx[kind])
			return -ENOMEM;
		if (EVP_DigestInit_ex(set->ctx[kind], digest_md(kind), NULL) != 1)
			return -EOPNOTSUPP;
	}
	return 0;
}

int digest_update(struct digest_set *set, const void *data, size_t len)
{
	unsigned int kind;

	for (kind = 0; kind < DIGEST_KIND_MAX; kind++)
		if (set->ctx[kind] && EVP_DigestUpdate(set->ctx[kind], data, len) != 1)
			return -EIO;
	return 0;
}

int digest_finish(struct digest_set *set)
{
	unsigned int kind;

	for (kind = 0; kind < DIGEST_KIND_MAX; kind++) {
		if (!set->ctx[kind])
			continue;
		if (EVP_DigestFinal_ex(set->ctx[kind], set->value[kind], NULL) != 1)
			return -EIO;
		set->has[kind] = true;
	}
	return 0;
}

void digest_drop(struct digest_set *set, enum digest_kind kind)
{
	EVP_MD_CTX_free(set->ctx[kind]);
	set->ctx[kind] = NULL;
}

void digest_release(struct digest_set *set)
{
	unsigned int kind;

	for (kind = 0; kind < DIGEST_KIND_MAX; kind++)
		digest_drop(set, kind);
}

int digest_memory(enum digest_kind kind, const void *data, size_t len, uint8_t *ret_value)
{
	return EVP_Digest(data, len, ret_value, NULL, digest_md(kind), NULL) == 1 ? 0 : -EIO;
}

int digest_reader(const struct identity_reader *reader, uint8_t ret_sha256[32])
{
	size_t chunk = reader->size < DIGEST_CHUNK ? (size_t)reader->size : DIGEST_CHUNK;
	cleanup(digest_release) struct digest_set set = {};
	cleanup(cleanup_free) uint8_t *buf = malloc(chunk ? chunk : 1);
	uint64_t off = 0;
	int err;

	if (!buf)
		return -ENOMEM;
	err = digest_start(&set, 1u << DIGEST_SHA256);
	while (!err && off < reader->size) {
		size_t len = reader->size - off < chunk ? (size_t)(reader->size - off) : chunk;

		err = reader_read(reader, buf, len, off);
		if (!err)
			err = digest_update(&set, buf, len);
		off += len;
	}
	if (!err)
		err = digest_finish(&set);
	if (err)
		return err;
	memcpy(ret_sha256, set.value[DIGEST_SHA256], 32);
	return 0;
}
