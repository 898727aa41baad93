/* SPDX-License-Identifier: MIT */
/*
 * A signature that OpenSSL refuses as a whole, because one certificate in it cannot be read (a name
 * that is no valid UTF-8 is enough): the other certificates, each by itself.
 */
#ifndef DEBAR_LOADER_IDENTITY_SALVAGE_H
#define DEBAR_LOADER_IDENTITY_SALVAGE_H

#include <stddef.h>
#include <stdint.h>

struct identity;

/*
 * Which of them signed is not known, so each counts as a signer: for a ban, one too many only refuses
 * too much. Returns -ENOENT where there are none.
 */
int salvage_read(struct identity *identity, const uint8_t *der, size_t len, unsigned int depth);

#endif
