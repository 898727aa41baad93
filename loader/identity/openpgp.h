/* SPDX-License-Identifier: MIT */
/* Which key made an OpenPGP signature. Nothing is verified: for a ban the name is enough. */
#ifndef DEBAR_LOADER_IDENTITY_OPENPGP_H
#define DEBAR_LOADER_IDENTITY_OPENPGP_H

#include <stddef.h>
#include <stdint.h>

#define OPENPGP_KEY_MAX 32

/*
 * The key of the first signature packet: its fingerprint (20 or 32 bytes) where the signature
 * says so, else its key id (8 bytes). Returns the number of bytes, 0: there is none.
 */
size_t openpgp_signer(const uint8_t *data, size_t len, uint8_t ret_key[OPENPGP_KEY_MAX]);

#endif
