/* SPDX-License-Identifier: MIT */
#include "loader/identity/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/cert.h"
#include "loader/identity/deb.h"
#include "loader/identity/digest.h"
#include "loader/identity/elf.h"
#include "loader/identity/module.h"
#include "loader/identity/msi.h"
#include "loader/identity/pe.h"
#include "loader/identity/reader.h"
#include "loader/identity/record.h"
#include "loader/identity/rpm.h"
#include "policy/cleanup.h"

/* clang-format off */
static const char *const type_names[] = {
	[IDENTITY_DATA]   = "data",
	[IDENTITY_SCRIPT] = "script",
	[IDENTITY_ELF]    = "elf",
	[IDENTITY_MODULE] = "module",
	[IDENTITY_PE]     = "pe",
	[IDENTITY_DOS]    = "dos",
	[IDENTITY_DEB]    = "deb",
	[IDENTITY_RPM]    = "rpm",
	[IDENTITY_MSI]    = "msi",
};
/* clang-format on */
_Static_assert(sizeof(type_names) / sizeof(*type_names) == IDENTITY_TYPE_MAX, "a type has no name");

const char *identity_type_name(enum identity_type type)
{
	return type < IDENTITY_TYPE_MAX ? type_names[type] : NULL;
}

/* Bytes read before anything is known; the headers and notes of most ELF files are in them. */
#define HEAD_SIZE 4096

struct format {
	const char *magic;
	size_t len;
	/* identity_flags as identity_read has them; @head is the file's first @head_len bytes */
	int (*read)(struct identity *identity, const struct identity_reader *reader,
		    const uint8_t *head, size_t head_len, unsigned int flags);
};

static int script_read(struct identity *identity, const struct identity_reader *reader,
		       const uint8_t *head, size_t head_len, unsigned int flags)
{
	(void)reader, (void)head, (void)head_len, (void)flags;
	identity->type = IDENTITY_SCRIPT;
	return 0;
}

/* clang-format off */
static const struct format formats[] = {
	{ "\177ELF",                          4, elf_read },
	{ "MZ",                               2, pe_read },
	{ "#!",                               2, script_read },
	{ "\xfd" "7zXZ\0",                    6, module_read_packed },
	{ "\x28\xb5\x2f\xfd",                 4, module_read_packed },
	{ "\x1f\x8b\x08",                     3, module_read_packed },
	{ "!<arch>\ndebian-binary",          21, deb_read },
	{ "\xed\xab\xee\xdb",                 4, rpm_read },
	{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, msi_read },
};
/* clang-format on */

static void cleanup_identity(struct identity **identity)
{
	identity_free(*identity);
}

int identity_read(struct identity **ret_identity, const struct identity_reader *reader,
		  unsigned int flags)
{
	cleanup(cleanup_identity) struct identity *identity = calloc(1, sizeof(*identity));
	size_t head_len = reader->size < HEAD_SIZE ? (size_t)reader->size : HEAD_SIZE;
	uint8_t head[HEAD_SIZE];
	size_t i;
	int err;

	if (!identity)
		return -ENOMEM;
	identity->size = reader->size;
	err = reader_read(reader, head, head_len, 0);
	for (i = 0; !err && i < sizeof(formats) / sizeof(*formats); i++) {
		const struct format *f = &formats[i];

		if (head_len < f->len || memcmp(head, f->magic, f->len))
			continue;
		err = f->read(identity, reader, head, head_len, flags);
		break;
	}
	if (!err && flags & IDENTITY_SHA256 && !identity->has_sha256) {
		err = digest_reader(reader, identity->sha256);
		identity->has_sha256 = !err;
	}
	if (err)
		return err;
	record_signer_keys(identity);
	*ret_identity = take(identity);
	return 0;
}

void identity_free(struct identity *identity)
{
	size_t i;

	if (!identity)
		return;
	for (i = 0; i < identity->signer_count; i++) {
		struct identity_signer *signer = &identity->signers[i];

		free(signer->chain);
		free(signer->issuer);
		free(signer->serial);
		cert_attributes_free(signer->issuer_attributes, signer->issuer_count);
	}
	for (i = 0; i < identity->cert_count; i++)
		cert_free(identity->certs[i]);
	free(identity->signers);
	free(identity->certs);
	free(identity->buildid);
	free(identity->package);
	free(identity->package_version);
	free(identity->package_type);
	free(identity);
}

void identity_add_key(struct identity *identity, const struct debar_key *key)
{
	struct debar_file_keys *keys = &identity->keys;
	__u32 i;

	for (i = 0; i < keys->count; i++)
		if (keys->keys[i].kind == key->kind &&
		    !memcmp(keys->keys[i].value, key->value, sizeof(key->value)))
			return;
	if (keys->count == DEBAR_FILE_KEYS_MAX)
		keys->overflow = 1;
	else
		keys->keys[keys->count++] = *key;
}

static struct policy_cert_facts cert_facts(const struct identity_cert *cert)
{
	return (struct policy_cert_facts){
		.subject_count = cert->subject_count,
		.subject = cert->subject_attributes,
		.issuer_count = cert->issuer_count,
		.issuer = cert->issuer_attributes,
		.serial = cert->serial,
		.sha256 = cert->sha256,
		.sha1 = cert->sha1,
		.spki_sha256 = cert->spki_sha256,
	};
}

size_t identity_cert_facts(const struct identity_cert *cert, struct policy_cert_facts ret_facts[3])
{
	size_t count = 0;

	ret_facts[count] = cert_facts(cert);
	ret_facts[count].key.kind = DEBAR_KEY_CERT_LEAF;
	memcpy(ret_facts[count++].key.value, cert->sha256, sizeof(cert->sha256));
	ret_facts[count] = cert_facts(cert);
	ret_facts[count++].key = cert->issuer_serial;
	if (cert->keyid_len) {
		ret_facts[count] = cert_facts(cert);
		if (!cert_keyid_key(cert->keyid, cert->keyid_len, &ret_facts[count].key))
			count++;
	}
	return count;
}

size_t identity_signer_facts(const struct identity_signer *signer,
			     struct policy_cert_facts ret_facts[1])
{
	if (signer->cert || signer->issuer_serial.kind == DEBAR_KEY_NONE)
		return 0;
	ret_facts[0] = (struct policy_cert_facts){
		.issuer_count = signer->issuer_count,
		.issuer = signer->issuer_attributes,
		.serial = signer->serial,
		.key = signer->issuer_serial,
	};
	return 1;
}
