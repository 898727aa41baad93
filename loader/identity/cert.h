/* SPDX-License-Identifier: MIT */
/* One certificate, and the names and numbers in it, as text and as keys. */
#ifndef DEBAR_LOADER_IDENTITY_CERT_H
#define DEBAR_LOADER_IDENTITY_CERT_H

#include <openssl/x509.h>
#include <stddef.h>

struct debar_key;
struct identity_cert;
struct policy_attribute;

/* Names with more attributes than this are cut: -E2BIG tells so, with the rest in place. */
#define CERT_ATTRIBUTES_MAX 256

int cert_new(struct identity_cert **ret_cert, X509 *x509);
void cert_free(struct identity_cert *cert);

/* "CN=..., O=...": RFC 4514 order and escapes, UTF-8. */
int cert_name_text(const X509_NAME *name, char **ret_text);
int cert_name_attributes(const X509_NAME *name, struct policy_attribute **ret_attributes,
			 size_t *ret_count);
void cert_attributes_free(struct policy_attribute *attributes, size_t count);

/* Lower-case hex, an even number of digits, no leading zero bytes. */
int cert_serial_text(const ASN1_INTEGER *serial, char **ret_text);

int cert_issuer_serial_key(const X509_NAME *issuer, const ASN1_INTEGER *serial,
			   struct debar_key *ret_key);

/* A key identifier as a key: zero padded, what is longer than 32 bytes by its sha256. */
int cert_keyid_key(const unsigned char *keyid, size_t len, struct debar_key *ret_key);

#endif
