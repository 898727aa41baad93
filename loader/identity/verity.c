/* SPDX-License-Identifier: MIT */
/* fs-verity: the digest is a key, and the built-in signature is over a struct that contains it. */
#include <errno.h>
#include <linux/fsverity.h>
#include <openssl/objects.h>
#include <string.h>

#include "loader/identity/digest.h"
#include "loader/identity/identity.h"
#include "loader/identity/pkcs7.h"
#include "loader/identity/record.h"

#define FORMATTED_MAX (sizeof(struct fsverity_formatted_digest) + DIGEST_SIZE_MAX)

/* What the signature was made over: include/uapi/linux/fsverity.h. */
static size_t formatted(const struct identity_verity *verity, uint8_t buf[FORMATTED_MAX])
{
	static const char magic[8] = { 'F', 'S', 'V', 'e', 'r', 'i', 't', 'y' };

	memcpy(buf, magic, sizeof(magic));
	buf[8] = (uint8_t)verity->algorithm;
	buf[9] = (uint8_t)(verity->algorithm >> 8);
	buf[10] = (uint8_t)verity->digest_len;
	buf[11] = (uint8_t)(verity->digest_len >> 8);
	memcpy(buf + 12, verity->digest, verity->digest_len);
	return 12 + verity->digest_len;
}

static int signature_add(struct identity *identity, const struct identity_verity *verity,
			 unsigned int flags)
{
	struct digest_set digests = {};
	const struct pkcs7_content content = { .verify = flags & IDENTITY_VERIFY,
					       .detached = true,
					       .digests = &digests };
	uint8_t buf[FORMATTED_MAX];
	size_t len = formatted(verity, buf);
	unsigned int kind;

	for (kind = 0; kind < DIGEST_KIND_MAX; kind++)
		digests.has[kind] = !digest_memory(kind, buf, len, digests.value[kind]);
	return pkcs7_read(identity, verity->signature, verity->signature_len, &content);
}

int identity_add_verity(struct identity *identity, const struct identity_verity *verity,
			unsigned int flags)
{
	struct debar_key key = { .kind = DEBAR_KEY_FSVERITY };
	int err = 0;

	if (verity->digest_len > DIGEST_SIZE_MAX)
		return -EINVAL;
	if (verity->algorithm == FS_VERITY_HASH_ALG_SHA256 &&
	    verity->digest_len == sizeof(key.value)) {
		memcpy(identity->fsverity, verity->digest, verity->digest_len);
		identity->has_fsverity = true;
		memcpy(key.value, verity->digest, verity->digest_len);
		identity_add_key(identity, &key);
	}
	if (verity->signature && verity->signature_len > IDENTITY_SIGNATURE_MAX)
		record_overflow(identity, "signatures of more than 16 MiB");
	else if (verity->signature)
		err = signature_add(identity, verity, flags);
	record_signer_keys(identity);
	return err;
}
