/* SPDX-License-Identifier: MIT */
#include "loader/identity/pkcs7.h"

#include "loader/identity/digest.h"
#include "tests/fuzz/identity_fuzz.h"

/* The first byte chooses between a detached signature and one of a PE. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct digest_set digests = { .has = { true, true, true, true } };
	struct pkcs7_content content = { .verify = true, .digests = &digests };
	struct identity *identity;
	int err;

	if (!size)
		return 0;
	identity = calloc(1, sizeof(*identity));
	FUZZ_CHECK(identity);
	content.detached = data[0] & 1;
	err = pkcs7_read(identity, data + 1, size - 1, &content);
	FUZZ_CHECK(!err || err == -ENOMEM);
	fuzz_identity(identity);
	identity_free(identity);
	return 0;
}
