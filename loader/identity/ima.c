/* SPDX-License-Identifier: MIT */
/* security.ima: a digest, or a signature that names its key by the end of its identifier. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/identity.h"
#include "loader/identity/record.h"

/* enum evm_ima_xattr_type and struct signature_v2_hdr of the kernel's security/integrity. */
#define TYPE_SIGNATURE 3
#define TYPE_VERITY_SIGNATURE 6
#define VERSION_OFF 1
#define KEYID_OFF 3
#define KEYID_SIZE 4
#define HEADER_SIZE 9

int identity_add_ima(struct identity *identity, const uint8_t *value, size_t len)
{
	struct identity_signer *signer;

	if (len < HEADER_SIZE || (*value != TYPE_SIGNATURE && *value != TYPE_VERITY_SIGNATURE))
		return 0;
	if (value[VERSION_OFF] != 2 && value[VERSION_OFF] != 3) {
		record_problem(identity, "an IMA signature of a strange version");
		return 0;
	}
	signer = record_signer(identity);
	if (!signer)
		return 0;
	signer->issuer = strdup("");
	signer->serial = strdup("");
	if (!signer->issuer || !signer->serial)
		return -ENOMEM;
	memcpy(signer->keyid, value + KEYID_OFF, KEYID_SIZE);
	signer->keyid_len = KEYID_SIZE;
	signer->digest_algorithm = "unknown";
	signer->signature_algorithm = "ima";
	record_signer_keys(identity);
	return 0;
}
