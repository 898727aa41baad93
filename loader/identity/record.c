/* SPDX-License-Identifier: MIT */
#include "loader/identity/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/cert.h"
#include "loader/identity/digest.h"
#include "loader/identity/identity.h"
#include "policy/digest.h"
#include "policy/policy.h"

void record_problem(struct identity *identity, const char *words)
{
	if (!identity->problem)
		identity->problem = words;
}

void record_overflow(struct identity *identity, const char *words)
{
	identity->keys.overflow = 1;
	record_problem(identity, words);
}

struct identity_signer *record_signer(struct identity *identity)
{
	struct identity_signer *more;

	if (identity->signer_count == IDENTITY_SIGNERS_MAX) {
		record_overflow(identity, "more than 64 signers");
		return NULL;
	}
	more = reallocarray(identity->signers, identity->signer_count + 1, sizeof(*more));
	if (!more) {
		record_overflow(identity, "no memory for another signer");
		return NULL;
	}
	identity->signers = more;
	more += identity->signer_count++;
	*more = (struct identity_signer){};
	return more;
}

static int cert_append(struct identity *identity, struct identity_cert *cert)
{
	struct identity_cert **more;

	more = reallocarray(identity->certs, identity->cert_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[identity->cert_count++] = cert;
	identity->certs = more;
	return 0;
}

int record_cert(struct identity *identity, X509 *x509, const struct identity_cert **ret_cert)
{
	struct identity_cert *cert = NULL;
	uint8_t sha256[DIGEST_SIZE_MAX];
	unsigned int len;
	size_t i;
	int err;

	*ret_cert = NULL;
	if (X509_digest(x509, EVP_sha256(), sha256, &len) != 1)
		return -ENOMEM;
	for (i = 0; i < identity->cert_count; i++) {
		if (!memcmp(identity->certs[i]->sha256, sha256, 32)) {
			*ret_cert = identity->certs[i];
			return 0;
		}
	}
	if (identity->cert_count == IDENTITY_CERTS_MAX) {
		record_overflow(identity, "more than 64 certificates of signers");
		return 0;
	}
	err = cert_new(&cert, x509);
	if (err == -E2BIG)
		record_overflow(identity, "more than 256 attributes in a certificate's name");
	else if (err)
		return err;
	err = cert_append(identity, cert);
	if (err) {
		cert_free(cert);
		return err;
	}
	*ret_cert = cert;
	return 0;
}

int record_buildid(struct identity *identity, const uint8_t *bytes, size_t len)
{
	struct debar_key key = { .kind = DEBAR_KEY_BUILDID };
	uint8_t digest[DIGEST_SIZE_MAX];

	if (!len)
		return 0;
	if (len > sizeof(key.value)) {
		int err = digest_memory(DIGEST_SHA256, bytes, len, digest);

		if (err)
			return err;
		memcpy(key.value, digest, sizeof(key.value));
	} else {
		memcpy(key.value, bytes, len);
	}
	identity_add_key(identity, &key);
	if (identity->buildid)
		return 0;
	identity->buildid = malloc(len);
	if (!identity->buildid)
		return -ENOMEM;
	memcpy(identity->buildid, bytes, len);
	identity->buildid_len = len;
	return 0;
}

int record_package(struct identity *identity, const char *type, const char *name,
		   const char *version)
{
	if (identity->package)
		return 0;
	identity->package = strdup(name);
	identity->package_version = strdup(version);
	identity->package_type = strdup(type);
	if (!identity->package || !identity->package_version || !identity->package_type)
		return -ENOMEM;
	return 0;
}

#define OPENPGP_NAME "OpenPGP"
#define OPENPGP_ID_SIZE 8

/* The key id: the end of an older fingerprint, and the beginning of one of version 6. */
static const uint8_t *openpgp_id(const struct identity *identity)
{
	size_t len = identity->signing_key_len;

	return identity->signing_key + (len == 20 ? len - OPENPGP_ID_SIZE : 0);
}

static int openpgp_issuer(struct identity_signer *signer)
{
	struct policy_attribute *attribute = calloc(1, sizeof(*attribute));

	if (!attribute)
		return -ENOMEM;
	signer->issuer_attributes = attribute;
	signer->issuer_count = 1;
	attribute->name = strdup("CN");
	attribute->value = strdup(OPENPGP_NAME);
	signer->issuer = strdup("CN=" OPENPGP_NAME);
	return attribute->name && attribute->value && signer->issuer ? 0 : -ENOMEM;
}

int record_openpgp(struct identity *identity)
{
	uint8_t named[sizeof(OPENPGP_NAME) - 1 + OPENPGP_ID_SIZE], digest[DIGEST_SIZE_MAX];
	char serial[2 * OPENPGP_ID_SIZE + 1];
	struct identity_signer *signer;
	int err;

	if (!identity->signing_key_len)
		return 0;
	signer = record_signer(identity);
	if (!signer)
		return 0;
	signer->digest_algorithm = signer->signature_algorithm = "unknown";
	err = openpgp_issuer(signer);
	if (err)
		return err;
	signer->serial = strdup(digest_encode(openpgp_id(identity), OPENPGP_ID_SIZE, serial));
	if (!signer->serial)
		return -ENOMEM;
	memcpy(named, OPENPGP_NAME, sizeof(OPENPGP_NAME) - 1);
	memcpy(named + sizeof(OPENPGP_NAME) - 1, openpgp_id(identity), OPENPGP_ID_SIZE);
	err = digest_memory(DIGEST_SHA256, named, sizeof(named), digest);
	if (err)
		return err;
	signer->issuer_serial.kind = DEBAR_KEY_CERT_ISSUER_SERIAL;
	memcpy(signer->issuer_serial.value, digest, sizeof(signer->issuer_serial.value));
	return 0;
}

void record_signer_keys(struct identity *identity)
{
	size_t s, c;

	for (s = 0; s < identity->signer_count; s++) {
		const struct identity_signer *signer = &identity->signers[s];
		struct debar_key key = { .kind = DEBAR_KEY_CERT_LEAF };

		if (signer->cert) {
			memcpy(key.value, signer->cert->sha256, sizeof(key.value));
			identity_add_key(identity, &key);
			continue;
		}
		if (signer->issuer_serial.kind != DEBAR_KEY_NONE)
			identity_add_key(identity, &signer->issuer_serial);
		if (signer->keyid_len && !cert_keyid_key(signer->keyid, signer->keyid_len, &key))
			identity_add_key(identity, &key);
	}
	for (s = 0; s < identity->signer_count; s++) {
		const struct identity_signer *signer = &identity->signers[s];
		struct debar_key key = { .kind = DEBAR_KEY_CERT_CHAIN };

		for (c = 0; c < signer->chain_count; c++) {
			memcpy(key.value, signer->chain[c]->sha256, sizeof(key.value));
			identity_add_key(identity, &key);
		}
	}
}
