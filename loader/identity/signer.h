/* SPDX-License-Identifier: MIT */
/* One signer among the certificates that came along: its own, and those above it. */
#ifndef DEBAR_LOADER_IDENTITY_SIGNER_H
#define DEBAR_LOADER_IDENTITY_SIGNER_H

#include <openssl/x509.h>

struct identity;
struct identity_signer;

/* How a signature names its signer: issuer and serial, or else a key identifier. */
struct signer_id {
	const X509_NAME *issuer;
	const ASN1_INTEGER *serial;
	const ASN1_OCTET_STRING *keyid;
};

/* Certificates of one signature that are looked at; more is an overflow. */
#define SIGNER_BAG_MAX 1024

/*
 * Record a signer, its certificate and its chain out of @bag. *ret_signer is NULL after an
 * overflow; *ret_leaf is the certificate in the bag, or NULL.
 */
int signer_record(struct identity *identity, const struct signer_id *id, STACK_OF(X509) * bag,
		  struct identity_signer **ret_signer, X509 **ret_leaf);

#endif
