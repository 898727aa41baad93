/* SPDX-License-Identifier: MIT */
#include "loader/identity/signer.h"

#include <errno.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/cert.h"
#include "loader/identity/identity.h"
#include "loader/identity/record.h"

/* Cross-signed authorities have several certificates of one name: all of them are above. */
#define CHAIN_MAX 16

static int bag_size(STACK_OF(X509) * bag)
{
	int count = sk_X509_num(bag);

	return count < SIGNER_BAG_MAX ? count : SIGNER_BAG_MAX;
}

static bool is_signer(X509 *x509, const struct signer_id *id)
{
	const ASN1_OCTET_STRING *keyid;

	if (id->issuer)
		return !ASN1_INTEGER_cmp(X509_get0_serialNumber(x509), id->serial) &&
		       !X509_NAME_cmp(X509_get_issuer_name(x509), id->issuer);
	keyid = X509_get0_subject_key_id(x509);
	return keyid && !ASN1_OCTET_STRING_cmp(keyid, id->keyid);
}

static X509 *bag_find(STACK_OF(X509) * bag, const struct signer_id *id)
{
	int i;

	for (i = 0; i < bag_size(bag); i++)
		if (is_signer(sk_X509_value(bag, i), id))
			return sk_X509_value(bag, i);
	return NULL;
}

/*
 * By name alone, no signature is tried: a certificate that only claims to be above the signer's
 * makes a ban refuse more, and never less. Returns how many of @chain are used.
 */
static size_t chain_walk(STACK_OF(X509) * bag, X509 *leaf, X509 *chain[CHAIN_MAX], bool *ret_more)
{
	size_t count = 0, next;
	int i;

	chain[count++] = leaf;
	for (next = 0; next < count; next++) {
		const X509_NAME *issuer = X509_get_issuer_name(chain[next]);

		for (i = 0; i < bag_size(bag); i++) {
			X509 *x509 = sk_X509_value(bag, i);
			size_t known = 0;

			if (X509_NAME_cmp(X509_get_subject_name(x509), issuer))
				continue;
			while (known < count && X509_cmp(chain[known], x509))
				known++;
			if (known < count)
				continue;
			if (count == CHAIN_MAX) {
				*ret_more = true;
				return count;
			}
			chain[count++] = x509;
		}
	}
	return count;
}

static int signer_chain(struct identity *identity, struct identity_signer *signer,
			STACK_OF(X509) * bag, X509 *leaf)
{
	X509 *chain[CHAIN_MAX];
	bool more = false;
	size_t count = chain_walk(bag, leaf, chain, &more), i;

	if (more)
		record_overflow(identity, "more than 16 certificates in a signer's chain");
	signer->chain = calloc(count, sizeof(struct identity_cert *));
	if (!signer->chain)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		const struct identity_cert *cert;
		int err = record_cert(identity, chain[i], &cert);

		if (err)
			return err;
		if (!cert)
			continue;
		if (!i)
			signer->cert = cert;
		signer->chain[signer->chain_count++] = cert;
	}
	return 0;
}

static int signer_names(struct identity *identity, struct identity_signer *signer,
			const struct signer_id *id)
{
	int err;

	if (!id->issuer) {
		int len = ASN1_STRING_length(id->keyid);

		if (len <= 0 || (size_t)len > sizeof(signer->keyid))
			record_problem(identity, "a signer's key identifier of a strange length");
		else
			signer->keyid_len = (size_t)len;
		memcpy(signer->keyid, ASN1_STRING_get0_data(id->keyid), signer->keyid_len);
		signer->issuer = strdup("");
		signer->serial = strdup("");
		return signer->issuer && signer->serial ? 0 : -ENOMEM;
	}
	err = cert_name_text(id->issuer, &signer->issuer);
	if (!err)
		err = cert_serial_text(id->serial, &signer->serial);
	if (!err)
		err = cert_issuer_serial_key(id->issuer, id->serial, &signer->issuer_serial);
	if (err)
		return err;
	err = cert_name_attributes(id->issuer, &signer->issuer_attributes, &signer->issuer_count);
	if (err != -E2BIG)
		return err;
	record_overflow(identity, "more than 256 attributes in an issuer's name");
	return 0;
}

int signer_record(struct identity *identity, const struct signer_id *id, STACK_OF(X509) * bag,
		  struct identity_signer **ret_signer, X509 **ret_leaf)
{
	struct identity_signer *signer = record_signer(identity);
	X509 *leaf;
	int err;

	*ret_signer = NULL;
	*ret_leaf = NULL;
	if (!signer)
		return 0;
	if (sk_X509_num(bag) > SIGNER_BAG_MAX)
		record_overflow(identity, "more than 1024 certificates in a signature");
	err = signer_names(identity, signer, id);
	if (err)
		return err;
	leaf = bag_find(bag, id);
	if (leaf) {
		err = signer_chain(identity, signer, bag, leaf);
		if (err)
			return err;
	}
	*ret_signer = signer;
	*ret_leaf = leaf;
	return 0;
}
