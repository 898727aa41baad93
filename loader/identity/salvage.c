/* SPDX-License-Identifier: MIT */
#include "loader/identity/salvage.h"

#include <errno.h>
#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <string.h>

#include "loader/identity/digest.h"
#include "loader/identity/identity.h"
#include "loader/identity/record.h"
#include "loader/identity/signer.h"
#include "policy/cleanup.h"

#define CONTEXT_0 0xa0 /* first byte of a constructed, context specific [0] */

static void cleanup_types(STACK_OF(ASN1_TYPE) * *types)
{
	sk_ASN1_TYPE_pop_free(*types, ASN1_TYPE_free);
}

static void cleanup_bag(STACK_OF(X509) * *bag)
{
	sk_X509_pop_free(*bag, X509_free);
}

/* What is inside of [0] among the elements of the SEQUENCE at @der. */
static bool find_context(const uint8_t *der, size_t len, STACK_OF(ASN1_TYPE) * *ret_keep,
			 const uint8_t **ret_inside, size_t *ret_len)
{
	const uint8_t *at = der;
	int i, tag, class;
	long inside;

	*ret_keep = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)len);
	for (i = 0; i < sk_ASN1_TYPE_num(*ret_keep); i++) {
		const ASN1_TYPE *type = sk_ASN1_TYPE_value(*ret_keep, i);
		const ASN1_STRING *other = type->value.asn1_string;

		if (type->type != V_ASN1_OTHER || ASN1_STRING_length(other) < 2)
			continue;
		at = ASN1_STRING_get0_data(other);
		if (*at != CONTEXT_0 ||
		    ASN1_get_object(&at, &inside, &tag, &class, ASN1_STRING_length(other)) & 0x81)
			continue;
		*ret_inside = at;
		*ret_len = (size_t)inside;
		return true;
	}
	return false;
}

/* What cannot be read is still known by its digest. */
static int unread_add(struct identity *identity, const uint8_t *der, size_t len)
{
	struct debar_key key = { .kind = DEBAR_KEY_CERT_LEAF };
	uint8_t digest[DIGEST_SIZE_MAX];
	int err = digest_memory(DIGEST_SHA256, der, len, digest);

	if (err)
		return err;
	memcpy(key.value, digest, sizeof(key.value));
	identity_add_key(identity, &key);
	return 0;
}

/* One certificate after the other. */
static int bag_fill(struct identity *identity, STACK_OF(X509) * bag, const uint8_t *at, size_t len)
{
	const uint8_t *end = at + len;

	while (at < end && sk_X509_num(bag) < SIGNER_BAG_MAX) {
		const uint8_t *inside = at, *start = at;
		int tag, class;
		X509 *x509;
		int err = 0;
		long size;

		if (ASN1_get_object(&inside, &size, &tag, &class, end - at) & 0x81)
			break;
		x509 = d2i_X509(NULL, &start, inside + size - at);
		if (!x509)
			err = unread_add(identity, at, (size_t)(inside + size - at));
		else if (!sk_X509_push(bag, x509))
			err = -ENOMEM;
		if (err) {
			X509_free(x509);
			return err;
		}
		at = inside + size;
	}
	return 0;
}

static int signers_record(struct identity *identity, STACK_OF(X509) * bag, unsigned int depth)
{
	int i;

	for (i = 0; i < sk_X509_num(bag); i++) {
		const X509 *x509 = sk_X509_value(bag, i);
		struct signer_id id = {
			.issuer = X509_get_issuer_name(x509),
			.serial = X509_get0_serialNumber(x509),
		};
		struct identity_signer *signer;
		X509 *leaf;
		int err = signer_record(identity, &id, bag, &signer, &leaf);

		if (err)
			return err;
		if (!signer)
			return 0;
		signer->depth = depth;
		signer->digest_algorithm = signer->signature_algorithm = "unknown";
	}
	return 0;
}

int salvage_read(struct identity *identity, const uint8_t *der, size_t len, unsigned int depth)
{
	cleanup(cleanup_types) STACK_OF(ASN1_TYPE) *outer = NULL;
	cleanup(cleanup_types) STACK_OF(ASN1_TYPE) *inner = NULL;
	cleanup(cleanup_bag) STACK_OF(X509) *bag = sk_X509_new_null();
	int err;

	if (!bag)
		return -ENOMEM;
	/* ContentInfo, its [0] is SignedData, whose [0] are the certificates. */
	if (!find_context(der, len, &outer, &der, &len) ||
	    !find_context(der, len, &inner, &der, &len))
		return -ENOENT;
	err = bag_fill(identity, bag, der, len);
	if (err)
		return err;
	record_problem(identity, "a signature with a certificate that cannot be read");
	return signers_record(identity, bag, depth);
}
