/* SPDX-License-Identifier: MIT */
/* How parsers write down what they found. */
#ifndef DEBAR_LOADER_IDENTITY_RECORD_H
#define DEBAR_LOADER_IDENTITY_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct identity;
struct identity_cert;
struct identity_signer;
struct x509_st;

/* The first problem stays: it explains the others. @words live as long as the program. */
void record_problem(struct identity *identity, const char *words);

/* There is more than was looked at: what follows was not read. */
void record_overflow(struct identity *identity, const char *words);

/* The next free signer, zeroed; NULL after recording an overflow. */
struct identity_signer *record_signer(struct identity *identity);

/* The certificate, once however often it is met; *ret_cert is NULL after an overflow. */
int record_cert(struct identity *identity, struct x509_st *x509,
		const struct identity_cert **ret_cert);

/* An ELF's build-id or package name; the first of each stays, every build-id is a key. */
int record_buildid(struct identity *identity, const uint8_t *bytes, size_t len);
int record_package(struct identity *identity, const char *type, const char *name,
		   const char *version);

/*
 * The OpenPGP key that signed an installer, where one was found, as a signer without a certificate:
 * issuer CN=OpenPGP, and the key's id as serial, so that a certificate rule can name it.
 */
int record_openpgp(struct identity *identity);

/*
 * The keys of all signers recorded so far. Every signer's own certificate comes first, then the
 * chains: what does not fit is the least telling.
 */
void record_signer_keys(struct identity *identity);

#endif
