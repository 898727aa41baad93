/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzers of loader/identity/ share: a parser is given bytes, and whatever comes out is
 * looked at as a caller would, so that a pointer into nowhere or a string without end is met.
 */
#ifndef DEBAR_TESTS_IDENTITY_FUZZ_H
#define DEBAR_TESTS_IDENTITY_FUZZ_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(cond)                                                                           \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

static void fuzz_cert(const struct identity_cert *cert)
{
	struct policy_cert_facts facts[3];
	size_t count = identity_cert_facts(cert, facts), i;

	FUZZ_CHECK(count >= 2 && count <= 3);
	for (i = 0; i < facts[0].subject_count; i++)
		FUZZ_CHECK(strlen(facts[0].subject[i].name) && facts[0].subject[i].value);
	for (i = 0; i < facts[0].issuer_count; i++)
		FUZZ_CHECK(strlen(facts[0].issuer[i].name) && facts[0].issuer[i].value);
	FUZZ_CHECK(strlen(cert->serial) >= 2 && strlen(cert->serial) % 2 == 0);
	FUZZ_CHECK(cert->der_len && strlen(cert->subject) < SIZE_MAX && cert->issuer);
}

static void fuzz_identity(const struct identity *identity)
{
	size_t i, j;

	FUZZ_CHECK(identity_type_name(identity->type));
	FUZZ_CHECK(identity->keys.count <= DEBAR_FILE_KEYS_MAX);
	FUZZ_CHECK(identity->signer_count <= IDENTITY_SIGNERS_MAX);
	FUZZ_CHECK(identity->cert_count <= IDENTITY_CERTS_MAX);
	FUZZ_CHECK(!identity->keys.overflow || identity->problem ||
		   identity->keys.count == DEBAR_FILE_KEYS_MAX);
	FUZZ_CHECK(!identity->package || strlen(identity->package_version) < SIZE_MAX);
	for (i = 0; i < identity->cert_count; i++)
		fuzz_cert(identity->certs[i]);
	for (i = 0; i < identity->signer_count; i++) {
		const struct identity_signer *signer = &identity->signers[i];
		struct policy_cert_facts facts[1];

		FUZZ_CHECK(signer->depth <= IDENTITY_DEPTH_MAX && signer->keyid_len <= 32);
		FUZZ_CHECK(strlen(signer->issuer) < SIZE_MAX && strlen(signer->serial) < SIZE_MAX);
		FUZZ_CHECK(identity_signer_facts(signer, facts) <= !signer->cert);
		for (j = 0; j < signer->chain_count; j++)
			FUZZ_CHECK(signer->chain[j]->der_len);
	}
}

/* A parser of one format, as identity_read calls it, whatever the first bytes are. */
__attribute__((unused)) static int fuzz_format(int (*read)(struct identity *,
							   const struct identity_reader *,
							   const uint8_t *, size_t, unsigned int),
					       const uint8_t *data, size_t size)
{
	struct identity_memory memory = { data, size };
	struct identity_reader reader = identity_memory_reader(&memory);
	struct identity *identity = calloc(1, sizeof(*identity));
	int err;

	FUZZ_CHECK(identity);
	identity->size = size;
	err = read(identity, &reader, data, size < 4096 ? size : 4096, IDENTITY_VERIFY);
	FUZZ_CHECK(!err || err == -ENOMEM);
	fuzz_identity(identity);
	identity_free(identity);
	return 0;
}

/* All of it, as a caller uses it. */
__attribute__((unused)) static int fuzz_read(const uint8_t *data, size_t size)
{
	struct identity_memory memory = { data, size };
	struct identity_reader reader = identity_memory_reader(&memory);
	struct identity *identity = NULL;
	int err = identity_read(&identity, &reader, IDENTITY_SHA256 | IDENTITY_VERIFY);

	FUZZ_CHECK(!err || err == -ENOMEM);
	if (!err)
		fuzz_identity(identity);
	identity_free(identity);
	return 0;
}

#endif
