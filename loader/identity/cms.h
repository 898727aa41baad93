/* SPDX-License-Identifier: MIT */
/* CMS signed data that PKCS#7 cannot say: signers named by key identifier. */
#ifndef DEBAR_LOADER_IDENTITY_CMS_H
#define DEBAR_LOADER_IDENTITY_CMS_H

#include <stddef.h>
#include <stdint.h>

struct identity;
struct pkcs7_content;

/* As pkcs7_read, for one signature at @depth. */
int cms_read(struct identity *identity, const uint8_t *der, size_t len,
	     const struct pkcs7_content *content, unsigned int depth);

#endif
