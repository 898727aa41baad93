/* SPDX-License-Identifier: MIT */
/* An RPM is a lead, a header of signatures, a header of facts, and the payload, which we leave. */
#include "loader/identity/rpm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/identity/identity.h"
#include "loader/identity/openpgp.h"
#include "loader/identity/reader.h"
#include "loader/identity/record.h"
#include "policy/cleanup.h"

#define LEAD_SIZE 96
#define HEADER_START 16 /* magic, reserved, number of entries, bytes of data */
#define ENTRY_SIZE 16
#define HEADER_MAX (16u << 20)

enum rpm_tag {
	TAG_SIG_DSA = 267,
	TAG_SIG_RSA = 268,
	TAG_NAME = 1000,
	TAG_VERSION = 1001,
	TAG_RELEASE = 1002,
	/* numbers of the signature header, again from 1000 */
	TAG_SIG_PGP = 1002,
	TAG_SIG_GPG = 1005,
};

enum rpm_type {
	TYPE_STRING = 6,
	TYPE_BIN = 7,
};

struct header {
	uint8_t *bytes;
	const uint8_t *entries;
	uint32_t count;
	const uint8_t *data;
	uint32_t data_len;
	uint64_t end; /* offset in the file of what follows */
};

static void cleanup_header(struct header *header)
{
	free(header->bytes);
}

/* 0, -EINVAL when there is no header of bearable size, or the reader's error. */
static int header_read(const struct identity_reader *reader, uint64_t off,
		       struct header *ret_header)
{
	uint8_t start[HEADER_START];
	struct header header = {};
	uint64_t size;
	int err;

	if (off > reader->size || reader->size - off < sizeof(start))
		return -EINVAL;
	err = reader_read(reader, start, sizeof(start), off);
	if (err)
		return err;
	if (memcmp(start, "\x8e\xad\xe8\x01", 4))
		return -EINVAL;
	header.count = be32(start + 8);
	header.data_len = be32(start + 12);
	size = (uint64_t)header.count * ENTRY_SIZE + header.data_len;
	if (size > HEADER_MAX)
		return -EINVAL;
	off += sizeof(start);
	err = reader_copy(reader, off, (size_t)size, &header.bytes);
	if (err)
		return err;
	header.entries = header.bytes;
	header.data = header.bytes + (size_t)header.count * ENTRY_SIZE;
	header.end = off + size;
	*ret_header = header;
	return 0;
}

/* The data of a tag from where it starts to the end of the store; NULL: absent, or another type. */
static const uint8_t *header_find(const struct header *header, enum rpm_tag tag,
				  enum rpm_type type, size_t *ret_len, uint32_t *ret_count)
{
	uint32_t i;

	for (i = 0; i < header->count; i++) {
		const uint8_t *entry = header->entries + (size_t)i * ENTRY_SIZE;
		uint32_t off = be32(entry + 8);

		if (be32(entry) != (uint32_t)tag || be32(entry + 4) != (uint32_t)type ||
		    off > header->data_len)
			continue;
		*ret_len = header->data_len - off;
		*ret_count = be32(entry + 12);
		return header->data + off;
	}
	return NULL;
}

static char *header_text(const struct header *header, enum rpm_tag tag)
{
	uint32_t count;
	size_t len;
	const uint8_t *text = header_find(header, tag, TYPE_STRING, &len, &count);

	return text ? strndup((const char *)text, len) : NULL;
}

static int package_read(struct identity *identity, const struct header *header)
{
	cleanup(cleanup_free) char *name = header_text(header, TAG_NAME);
	cleanup(cleanup_free) char *version = header_text(header, TAG_VERSION);
	cleanup(cleanup_free) char *release = header_text(header, TAG_RELEASE);
	cleanup(cleanup_free) char *both = NULL;

	if (!name) {
		record_problem(identity, "an RPM package without a name");
		return 0;
	}
	if (asprintf(&both, "%s-%s", version ? version : "", release ? release : "") < 0) {
		both = NULL;
		return -ENOMEM;
	}
	return record_package(identity, "rpm", name, both);
}

static void key_read(struct identity *identity, const struct header *header)
{
	static const enum rpm_tag tags[] = { TAG_SIG_RSA, TAG_SIG_DSA, TAG_SIG_PGP, TAG_SIG_GPG };
	size_t i;

	for (i = 0; i < sizeof(tags) / sizeof(*tags) && !identity->signing_key_len; i++) {
		uint32_t count;
		size_t len;
		const uint8_t *data = header_find(header, tags[i], TYPE_BIN, &len, &count);

		if (data)
			identity->signing_key_len = openpgp_signer(
				data, count < len ? count : len, identity->signing_key);
	}
}

int rpm_read(struct identity *identity, const struct identity_reader *reader, const uint8_t *head,
	     size_t head_len, unsigned int flags)
{
	cleanup(cleanup_header) struct header signatures = {}, facts = {};
	int err;

	(void)head, (void)head_len, (void)flags;
	identity->type = IDENTITY_RPM;
	err = header_read(reader, LEAD_SIZE, &signatures);
	if (!err) {
		key_read(identity, &signatures);
		err = header_read(reader, (signatures.end + 7) & ~(uint64_t)7, &facts);
	}
	if (!err)
		return package_read(identity, &facts);
	if (err != -EINVAL)
		return err;
	record_problem(identity, "an RPM package whose headers cannot be read");
	return 0;
}
