/* SPDX-License-Identifier: MIT */
/* PKCS#7 and CMS signed data: who signed, and does the digest match. */
#ifndef DEBAR_LOADER_IDENTITY_PKCS7_H
#define DEBAR_LOADER_IDENTITY_PKCS7_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct digest_set;
struct identity;
struct X509_algor_st;

/* What a signature is about: needed for digest_ok alone, filled only when that is asked. */
struct pkcs7_content {
	bool verify;   /* IDENTITY_VERIFY */
	bool detached; /* the digests are of the bytes signed; else of a PE without its signatures */
	const struct digest_set *digests;
};

/*
 * Record every signer of one signature, and those of signatures nested in it. Countersignatures,
 * of PKCS#9 and of RFC 3161, are not signers and are not entered. What cannot be parsed is a
 * recorded problem; the only error is -ENOMEM.
 */
int pkcs7_read(struct identity *identity, const uint8_t *der, size_t len,
	       const struct pkcs7_content *content);

/* OpenSSL's long name of an algorithm, or "unknown". */
const char *pkcs7_algorithm(const struct X509_algor_st *algorithm);

#endif
